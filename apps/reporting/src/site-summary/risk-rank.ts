import type { Risk } from '#libs/contracts';

/** Risks, the least first; the rank is the place, from 1. */
export const RISKS_ASCENDING: readonly Risk[] = [
  'not_critical',
  'less_critical',
  'moderately_critical',
  'critical',
  'highly_critical',
];

/** The risk of a rank; null for none. */
export function riskOfRank(rank: number | null): Risk | null {
  return rank === null ? null : (RISKS_ASCENDING[rank - 1] ?? null);
}

/** SQL for the rank of a column that holds a risk; null for null. */
export const riskRankSql = (column: string): string =>
  `array_position(ARRAY['${RISKS_ASCENDING.join("','")}'], ${column})`;
