import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

export const FORMATS = ['json', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

/** In which form a list is wanted. */
export function FormatParameter(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      enum: FORMATS,
      default: 'json',
      description: '`csv` is the whole list as a file, whatever the page.',
    }),
    IsOptional(),
    IsIn(FORMATS),
  );
}
