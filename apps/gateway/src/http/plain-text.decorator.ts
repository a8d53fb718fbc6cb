import { applyDecorators } from '@nestjs/common';
import { IsString, Matches, MaxLength, MinLength } from 'class-validator';

/** A short text for people: not blank, and fit for headers, logs and files. */
export function PlainText(maxLength: number): PropertyDecorator {
  return applyDecorators(
    IsString(),
    MinLength(1),
    MaxLength(maxLength),
    Matches(/^[^\p{Cc}\p{Surrogate}]*$/u, { message: '$property must not hold control characters' }),
    Matches(/\S/u, { message: '$property must not be blank' }),
  );
}
