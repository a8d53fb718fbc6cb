import { SERVICES } from '#libs/contracts';
import { eventually } from '#libs/testing';
import type { System } from './system.js';

/** What is still on its way, by where it is. */
interface OnTheWay extends Record<string, number> {
  /** Rows that all outboxes together have ever had. */
  readonly told: number;
  /** Of those, not yet on their streams. */
  readonly untold: number;
  /** Modules and feeds that upstream has not answered for yet. */
  readonly unanswered: number;
}

const OUTBOXES = SERVICES.map((service) => `${service}.outbox`);
const LEFT = `
  SELECT (${OUTBOXES.map((name) => `coalesce(pg_sequence_last_value(pg_get_serial_sequence('${name}', 'id')::regclass), 0)`).join(' + ')})::float8 AS told,
         (${OUTBOXES.map((name) => `(SELECT count(*) FROM ${name})`).join(' + ')})::int AS untold,
         (SELECT count(*) FROM catalog.sync_states WHERE last_success_at IS NULL)::int AS unanswered`;

/**
 * Waits until nothing is on its way between the services: all is told, taken and judged by everything the catalog can learn. What leaves a queue
 * while tables are read may be in a table when queues are read; so all must be empty twice in a row, and nothing told in between.
 * @throws Error with what was left after a minute and a half
 */
export async function caughtUp({ client, query }: Pick<System, 'client' | 'query'>): Promise<void> {
  let told: number | undefined;
  await eventually(
    async () => {
      const before = told;
      told = undefined;
      const [left] = await query<OnTheWay>(LEFT);
      const { data } = await client.request<{ modules_without_history: number; queued: number }>(
        'GET',
        '/api/v1/system/progress',
      );
      if (left!.untold + left!.unanswered + data.queued + data.modules_without_history > 0)
        throw new Error(JSON.stringify({ ...left, ...data }));
      told = left!.told;
      return told === before;
    },
    { what: 'the services to catch up', timeoutMs: 90_000, everyMs: 200 },
  );
}
