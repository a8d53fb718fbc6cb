import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, IsInt, Max, Min } from 'class-validator';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import { PlainText } from '../http/plain-text.decorator.js';
import { KEY_SCOPES } from './key-scopes.js';
import type { KeyScope } from './key-scopes.js';

export class CreateIntegrationKeyBody {
  @ApiProperty({ example: 'Ticket system', maxLength: 100, description: 'What people shall know it by.' })
  @PlainText(100)
  name: string;

  @ApiProperty({ enum: KEY_SCOPES, isArray: true, example: ['sites:read', 'exposures:read'] })
  @IsIn(KEY_SCOPES, { each: true })
  @ArrayUnique()
  @ArrayMaxSize(KEY_SCOPES.length)
  @ArrayMinSize(1)
  @IsArray()
  scopes: KeyScope[];

  @ApiPropertyOptional({ minimum: 1, maximum: 730, default: 365 })
  @MayBeLeftOut()
  @Max(730)
  @Min(1)
  @IsInt()
  expires_in_days: number = 365;
}

export class RotateIntegrationKeyBody {
  @ApiPropertyOptional({
    minimum: 0,
    maximum: 720,
    default: 24,
    description: 'How long the old key goes on. 0: it ends now.',
  })
  @MayBeLeftOut()
  @Max(720)
  @Min(0)
  @IsInt()
  overlap_hours: number = 24;

  @ApiPropertyOptional({ minimum: 1, maximum: 730, default: 365, description: 'Of the new key.' })
  @MayBeLeftOut()
  @Max(730)
  @Min(1)
  @IsInt()
  expires_in_days: number = 365;
}

export class CreateEnrolmentKeyBody {
  @ApiProperty({ example: 'Roll-out in spring', maxLength: 100 })
  @PlainText(100)
  name: string;

  @ApiProperty({ minimum: 1, maximum: 10_000, description: 'How many sites it may register.' })
  @Max(10_000)
  @Min(1)
  @IsInt()
  most_sites: number;

  @ApiPropertyOptional({ minimum: 1, maximum: 90, default: 7 })
  @MayBeLeftOut()
  @Max(90)
  @Min(1)
  @IsInt()
  expires_in_days: number = 7;
}
