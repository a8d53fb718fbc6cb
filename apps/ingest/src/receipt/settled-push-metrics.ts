import { counter, type Registry } from '#libs/runtime';

/** How pushes ended in one committed batch. `repeated`: messages of pushes that had ended before. */
export interface SettledPushes {
  readonly applied: number;
  readonly superseded: number;
  readonly duplicate: number;
  readonly repeated: number;
}

/** @param taken messages that did not fail; those that no push was settled for are repetitions. */
export function countSettled(
  settled: readonly { readonly state: 'applied' | 'superseded' | 'duplicate' }[],
  taken: number,
): SettledPushes {
  const counts = { applied: 0, superseded: 0, duplicate: 0, repeated: taken - settled.length };
  for (const { state } of settled) counts[state]++;
  return counts;
}

/**
 * Ingest's side of the account (docs/operations.md): what the gateway accepted is settled here, is dead, or waits in the queue.
 * Dead ones are counted with all dead messages.
 */
export function settledPushMetrics(registry: Registry): (pushes: SettledPushes) => void {
  const settled = counter(registry, {
    name: 'patchwatch_push_settled_total',
    help: 'Pushes by how they ended: applied, superseded, duplicate. Dead ones are in patchwatch_dead_total.',
    labelNames: ['state'],
  });
  const repeated = counter(registry, {
    name: 'patchwatch_push_repeated_total',
    help: 'Messages of pushes that had ended before: sent again by the site, or delivered again after a crash. They change nothing.',
  });
  return ({ repeated: again, ...states }) => {
    for (const [state, count] of Object.entries(states)) settled.inc({ state }, count);
    repeated.inc(again);
  };
}
