/** What belongs to one scenario: its sites, and everything that came after its beginning. */
export interface Scope {
  readonly siteIds: readonly number[];
  /** Greatest ids at the beginning. */
  readonly deadSince: Readonly<Record<DeadSchema, number>>;
  readonly eventsSince: number;
}

export const DEAD_SCHEMAS = ['ingest', 'catalog', 'reporting', 'notifier'] as const;
export type DeadSchema = (typeof DEAD_SCHEMAS)[number];
