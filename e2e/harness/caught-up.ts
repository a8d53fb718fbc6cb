import { eventually } from '#libs/testing';
import { TOLD, UNTOLD, untilAtRest } from './at-rest.js';
import type { System } from './system.js';

/** What is still on its way, by where it is. */
interface OnTheWay {
  readonly told: number;
  readonly untold: number;
  /** Modules and feeds that upstream has not answered for yet. */
  readonly unanswered: number;
}

const LEFT = `
  SELECT ${TOLD} AS told, ${UNTOLD} AS untold,
         (SELECT count(*) FROM catalog.sync_states WHERE last_success_at IS NULL)::int AS unanswered`;

/**
 * Waits until nothing is on its way between the services: all is told, taken and judged by everything the catalog can learn.
 * @throws Error with what was left after a minute and a half
 */
export async function caughtUp({ client, query }: Pick<System, 'client' | 'query'>): Promise<void> {
  const atRest = untilAtRest(async () => {
    const [row] = await query<OnTheWay & Record<string, number>>(LEFT);
    const { told, ...outside } = row!;
    const { data } = await client.request<{ modules_without_history: number; queued: number }>(
      'GET',
      '/api/v1/system/progress',
    );
    const left = { ...outside, queued: data.queued, modules_without_history: data.modules_without_history };
    return { told, left: Object.values(left).some((count) => count > 0) ? JSON.stringify(left) : null };
  });
  await eventually(atRest, { what: 'the services to catch up', timeoutMs: 90_000, everyMs: 200 });
}
