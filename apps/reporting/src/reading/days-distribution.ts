import type { Static } from 'typebox';
import type { DaysDistribution } from '#libs/contracts';

/** How many days something took, over many. */
export type Days = Static<typeof DaysDistribution>;

/** A distribution as the database computes it, for the same SQL everywhere. */
export interface DaysRow {
  readonly count: number;
  /** Median and ninth decile; null when there is nothing. */
  readonly deciles: readonly [number, number] | null;
  readonly mean: number | null;
  readonly within_a_day: number | null;
  readonly within_a_week: number | null;
}

/** Aggregates of a column that holds days, as JSON, to be read by `daysOf`. One sort serves both deciles. */
export const daysSql = (days: string, filter = 'true'): string => `json_build_object(
  'count', count(*) FILTER (WHERE ${filter}),
  'deciles', percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY ${days}) FILTER (WHERE ${filter}),
  'mean', avg(${days}) FILTER (WHERE ${filter}),
  'within_a_day', avg((${days} <= 1)::int) FILTER (WHERE ${filter}),
  'within_a_week', avg((${days} <= 7)::int) FILTER (WHERE ${filter}))`;

/** SQL for the days between two instants. Not `extract`: its numeric is many times slower. */
export const daysBetweenSql = (from: string, to: string): string => `(date_part('epoch', ${to} - ${from}) / 86400)`;

/** Rounds days to a hundredth and shares to a ten-thousandth. */
export function daysOf(row: DaysRow): Days {
  return {
    count: row.count,
    median: rounded(row.deciles?.[0] ?? null, 100),
    p90: rounded(row.deciles?.[1] ?? null, 100),
    mean: rounded(row.mean, 100),
    within_a_day: rounded(row.within_a_day, 10_000),
    within_a_week: rounded(row.within_a_week, 10_000),
  };
}

/** `value` to the nearest `1 / parts`. */
export function rounded(value: number, parts: number): number;
export function rounded(value: number | null, parts: number): number | null;
export function rounded(value: number | null, parts: number): number | null {
  return value === null ? null : Math.round(value * parts) / parts;
}
