import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import { PlainText } from '../http/plain-text.decorator.js';
import { FIGURES } from './figures.js';
import type { Figures } from './figures.js';
import { PLAN_CODE } from './plan-code.js';

const MOST_A_MINUTE = 1_000_000;
const MOST_SITES = 1_000_000;

const PerMinute = (): PropertyDecorator => applyDecorators(IsInt(), Min(1), Max(MOST_A_MINUTE));
const rate = { minimum: 1, maximum: MOST_A_MINUTE } as const;

const Sites = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: 'integer',
      nullable: true,
      minimum: 1,
      maximum: MOST_SITES,
      description: 'null: as many as they like.',
    }),
    IsOptional(),
    IsInt(),
    Min(1),
    Max(MOST_SITES),
  );

/** A default is given up by making another plan the default. */
const MakesDefault = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: Boolean,
      enum: [true],
      description: 'true: this is the default from now on, and the one before is not.',
    }),
    MayBeLeftOut(),
    IsIn([true], { message: '$property can be true only: make another plan the default' }),
  );

export class CreatePlanBody {
  @ApiProperty({ example: 'free', pattern: PLAN_CODE.source, description: 'Names it; it never changes.' })
  @Matches(PLAN_CODE, { message: '$property must be a name of small letters, digits and _' })
  code: string;

  @ApiProperty({ example: 'Free', maxLength: 255 })
  @PlainText(255)
  name: string;

  @ApiProperty({ enum: FIGURES, description: 'How often figures are made.' })
  @IsIn(FIGURES)
  figures: Figures;

  @ApiProperty({ ...rate, example: 600, description: 'Of one person.' })
  @PerMinute()
  person_requests_per_minute: number;

  @ApiProperty({ ...rate, example: 600, description: 'Of one integration key.' })
  @PerMinute()
  key_requests_per_minute: number;

  @ApiProperty({ ...rate, example: 60, description: 'Of one site’s key.' })
  @PerMinute()
  pushes_per_minute: number;

  @Sites()
  most_sites: number | null = null;

  @MakesDefault()
  is_default?: true;
}

export class ChangePlanBody {
  @ApiPropertyOptional({ maxLength: 255 })
  @MayBeLeftOut()
  @PlainText(255)
  name?: string;

  @ApiPropertyOptional({ enum: FIGURES })
  @MayBeLeftOut()
  @IsIn(FIGURES)
  figures?: Figures;

  @ApiPropertyOptional(rate)
  @MayBeLeftOut()
  @PerMinute()
  person_requests_per_minute?: number;

  @ApiPropertyOptional(rate)
  @MayBeLeftOut()
  @PerMinute()
  key_requests_per_minute?: number;

  @ApiPropertyOptional(rate)
  @MayBeLeftOut()
  @PerMinute()
  pushes_per_minute?: number;

  @Sites()
  most_sites?: number | null;

  @MakesDefault()
  is_default?: true;
}
