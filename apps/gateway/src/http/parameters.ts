import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { ArrayMaxSize, IsIn, IsInt, IsOptional, Max, MaxLength, Min, ValidateBy } from 'class-validator';
import type { ValidationArguments } from 'class-validator';

/** A filter may name so many values; more is no filter but a data set. */
const MOST_VALUES = 100;

/** Paging of every list. Outside the range is an error, never silently clamped. */
export class PageQuery {
  @ApiPropertyOptional({
    minimum: 1,
    default: 1,
    description: 'Number of the page; follow `links.next` instead of counting.',
  })
  @IsOptional()
  @Type(() => Number)
  @Max(1_000_000)
  @Min(1)
  @IsInt()
  page = 1;

  @PerPage('Rows on a page.')
  per_page = 25;
}

/** How much of a list an answer has. Outside the range is an error, never silently clamped. */
export function PerPage(description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ minimum: 1, maximum: 100, default: 25, description }),
    IsOptional(),
    Type(() => Number),
    Max(100),
    Min(1),
    IsInt(),
  );
}

/** A filter that takes several values separated by commas: any of them matches. */
export function OneOrMore(description: string, each: (value: string) => boolean, mustBe: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: String, description: `${description} Several, separated by commas: any of them.` }),
    IsOptional(),
    Transform(({ value }) => splitList(value)),
    ArrayMaxSize(MOST_VALUES),
    Every(each, mustBe),
  );
}

/** A filter that takes one value. */
export function Exactly(description: string, test: (value: string) => boolean, mustBe: string): PropertyDecorator {
  return applyDecorators(ApiPropertyOptional({ type: String, description }), IsOptional(), One(test, mustBe));
}

/** As `OneOrMore`, with a closed list of values. */
export function AnyOf(description: string, values: readonly string[]): PropertyDecorator {
  return OneOrMore(
    `${description} (${values.join(', ')})`,
    (value) => values.includes(value),
    `one of ${values.join(', ')}`,
  );
}

/** A sort: one of `fields`, descending with a leading `-`. */
export function Sort(fields: readonly string[]): PropertyDecorator {
  const allowed = fields.flatMap((field) => [field, `-${field}`]);
  return applyDecorators(ApiPropertyOptional({ enum: allowed }), IsOptional(), IsIn(allowed));
}

/** An instant: RFC 3339, or `YYYY-MM-DD` for the start of that day in UTC. Arrives as RFC 3339 in UTC. */
export function InstantParameter(description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: String,
      format: 'date-time',
      description: `${description} RFC 3339, or YYYY-MM-DD: that day's start in UTC.`,
    }),
    IsOptional(),
    Transform(({ value }) => (typeof value === 'string' ? (toInstant(value) ?? value) : value)),
    One((value) => toInstant(value) !== null, 'RFC 3339 or YYYY-MM-DD'),
  );
}

/** `true` or `false`. */
export function BooleanParameter(description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: Boolean, description }),
    IsOptional(),
    Transform(({ value }) => (value === 'true' ? true : value === 'false' ? false : value)),
    IsIn([true, false], { message: 'must be true or false' }),
  );
}

/** A short free text. */
export function TextParameter(description: string, maxLength = 255): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: String, description, maxLength }),
    IsOptional(),
    One((value) => value.length <= maxLength && isPlainText(value), `text of at most ${maxLength} characters`),
    MaxLength(maxLength),
  );
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(value: string): boolean {
  return UUID.test(value);
}

/** Drupal.org's machine names, and what sites may call theirs. */
export function isModuleName(value: string): boolean {
  return /^[A-Za-z0-9_.-]{1,255}$/.test(value);
}

/** No control characters and no lone surrogates: fits Postgres, logs and headers. */
export function isPlainText(value: string): boolean {
  return !/[\p{Cc}\p{Surrogate}]/u.test(value);
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** The instant in UTC as RFC 3339 with milliseconds; null when `text` is none. A `+` that a URL made a space is taken as meant. */
export function toInstant(text: string): string | null {
  const repaired = text.replace(/ (?=\d{2}:\d{2}$)/, '+');
  const whole = DAY.test(repaired) ? `${repaired}T00:00:00Z` : repaired;
  if (!INSTANT.test(whole)) return null;
  const time = Date.parse(whole);
  if (Number.isNaN(time)) return null;
  const instant = new Date(time);
  // Date.parse takes 30 February for 2 March; a day that does not exist is no filter.
  if (DAY.test(repaired) && instant.toISOString().slice(0, 10) !== repaired) return null;
  const year = instant.getUTCFullYear();
  return year >= 1990 && year <= 9999 ? instant.toISOString() : null;
}

function splitList(value: unknown): unknown {
  const parts = Array.isArray(value) ? value : [value];
  if (!parts.every((part) => typeof part === 'string')) return value;
  return parts
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** One string that `test` takes; a parameter given twice is refused. */
function One(test: (value: string) => boolean, mustBe: string): PropertyDecorator {
  return rule((value) => typeof value === 'string' && test(value), mustBe);
}

/** A list of strings that `test` takes, each of them. */
function Every(test: (value: string) => boolean, mustBe: string): PropertyDecorator {
  return rule((value) => Array.isArray(value) && value.every((part) => typeof part === 'string' && test(part)), mustBe);
}

function rule(validate: (value: unknown) => boolean, mustBe: string): PropertyDecorator {
  return ValidateBy({
    name: 'rule',
    validator: {
      validate,
      defaultMessage: (details?: ValidationArguments) => `${details?.property ?? 'it'} must be ${mustBe}`,
    },
  });
}
