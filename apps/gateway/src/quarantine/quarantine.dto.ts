import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import { PlainText } from '../http/plain-text.decorator.js';

export class HoldSiteBody {
  @ApiPropertyOptional({
    maxLength: 500,
    description: 'Why. Everybody who may see the site can read it.',
  })
  @MayBeLeftOut()
  @PlainText(500)
  note?: string;
}

export const DECISIONS = ['accept_change', 'keep'] as const;
export type Decision = (typeof DECISIONS)[number];

export class ReleaseSiteBody {
  @ApiProperty({
    enum: DECISIONS,
    description:
      '`accept_change`: the site has moved; the registry takes over what was reported. `keep`: what was reported is wrong; the registry stays as it is, and the next push that says so holds the site again.',
  })
  @IsIn(DECISIONS)
  decision: Decision;
}
