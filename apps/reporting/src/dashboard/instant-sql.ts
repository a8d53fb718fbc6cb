/** An instant as an SQL literal: it stands in many places of one query, and the planner may look at it. */
export function instantSql(instant: Date): string {
  return `'${instant.toISOString()}'::timestamptz`;
}
