import { UNTOLD, untilAtRest } from '../harness/at-rest.js';
import { readStreams } from './facts.js';
import type { Platform } from './platform/platform.js';

/** @returns a probe: whether every queue and every outbox is empty, so that nothing is on its way. It throws with what is left. */
export function untilQuiet(platform: Platform): () => Promise<boolean> {
  return untilAtRest(async () => {
    const [row] = await platform.query<{ told: number; untold: number }>(
      `SELECT (SELECT count(*) FROM faults.events)::int AS told, ${UNTOLD} AS untold`,
    );
    const { told, untold } = row!;
    const streams = (await readStreams(platform)).filter(
      // Those that died lately look alive for some seconds.
      ({ length, liveConsumers, processes }) => length > 0 || liveConsumers > processes,
    );
    const isQuiet = untold === 0 && streams.length === 0;
    return { told, left: isQuiet ? null : `${untold} rows in outboxes, streams: ${JSON.stringify(streams)}` };
  });
}
