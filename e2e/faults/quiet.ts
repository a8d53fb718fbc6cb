import { readStreams } from './facts.js';
import type { Platform } from './platform/platform.js';

/**
 * @returns a probe: whether every queue and every outbox is empty, so that nothing is on its way. They cannot be read at once, and what leaves a
 * queue may be in an outbox that was read before; so it is content when all were empty twice in a row, and nothing was told in between. It throws
 * with what is left.
 */
export function untilQuiet(platform: Platform): () => Promise<boolean> {
  let told: number | undefined;
  return async () => {
    const before = told;
    told = undefined;
    const [row] = await platform.query<{ told: number; rows: number }>(
      `SELECT (SELECT count(*) FROM faults.events)::int AS told,
              ((SELECT count(*) FROM gateway.outbox) + (SELECT count(*) FROM ingest.outbox)
             + (SELECT count(*) FROM catalog.outbox) + (SELECT count(*) FROM reporting.outbox))::int AS rows`,
    );
    const streams = (await readStreams(platform)).filter(
      // Those that died lately look alive for some seconds.
      ({ length, liveConsumers, processes }) => length > 0 || liveConsumers > processes,
    );
    if (row!.rows > 0 || streams.length > 0)
      throw new Error(`${row!.rows} rows in outboxes, streams: ${JSON.stringify(streams)}`);
    told = row!.told;
    return told === before;
  };
}
