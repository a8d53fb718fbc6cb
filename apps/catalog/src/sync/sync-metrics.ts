import type { DataSource } from 'typeorm';
import { Gauge, type Clock, type Registry } from '#libs/runtime';

interface KindRow {
  readonly kind: string;
  readonly followed: number;
  readonly waiting: number;
  readonly stale: number;
  readonly stale_seconds: number;
}

const STATES = ['followed', 'waiting', 'stale'] as const;

/** How following upstream stands, read whenever somebody looks: what a bad answer made stale shall be heard of by people. */
export function syncMetrics(registry: Registry, dataSource: DataSource, clock: Clock): void {
  // No figure is better than an old one: a database that is away shows elsewhere.
  const kinds = () => kindRows(dataSource, clock.now()).catch((): KindRow[] => []);
  const subjects: Gauge<'kind' | 'state'> = made(registry, {
    name: 'patchwatch_upstream_subjects',
    help: 'Asked for at Drupal.org: followed (all of it), waiting (never answered), stale (no good answer since the last one)',
    labelNames: ['kind', 'state'],
    collect: async () => {
      const rows = await kinds();
      subjects.reset();
      for (const row of rows) for (const state of STATES) subjects.set({ kind: row.kind, state }, row[state]);
    },
  });
  const seconds: Gauge<'kind'> = made(registry, {
    name: 'patchwatch_upstream_stale_seconds',
    help: 'For how long what is stale longest has had no good answer; 0: nothing is stale',
    labelNames: ['kind'],
    collect: async () => {
      const rows = await kinds();
      seconds.reset();
      for (const { kind, stale_seconds } of rows) seconds.set({ kind }, stale_seconds);
    },
  });
}

/** A service that starts again in the same process brings a new data source. */
function made<L extends string>(
  registry: Registry,
  definition: { name: string; help: string; labelNames: L[]; collect: () => Promise<void> },
): Gauge<L> {
  registry.removeSingleMetric(definition.name);
  return new Gauge({ ...definition, registers: [registry] });
}

function kindRows(dataSource: DataSource, now: Date): Promise<KindRow[]> {
  return dataSource.query(
    `SELECT kind, count(*)::int AS followed, (count(*) FILTER (WHERE last_success_at IS NULL))::int AS waiting,
            (count(*) FILTER (WHERE failing_since IS NOT NULL))::int AS stale,
            coalesce(greatest(0, extract(epoch FROM $1::timestamptz - min(failing_since))), 0)::float8 AS stale_seconds
     FROM sync_states GROUP BY kind`,
    [now],
  );
}
