import { realTime } from '../consumer-settings.js';
import { AdmissionClosedError, DoubtfulPublishError } from '../failures.js';
import type { Stage } from './stage.js';
import { thing } from './stage.js';

/** What came of the messages of a load. */
export interface Load {
  /** Ids of those that were durably answered for. */
  readonly accepted: string[];
  readonly doubtful: string[];
  /** Answers that a publisher must not give. */
  readonly wrong: unknown[];
  stop(): Promise<void>;
}

/** Publishes to `queue` without a pause from some callers at once until stopped; after a doubtful answer each waits a little, as a site does. */
export function underLoad(stage: Stage, queue: string, callers = 4): Load {
  let running = true;
  let n = 0;
  const load = { accepted: [] as string[], doubtful: [] as string[], wrong: [] as unknown[] };
  const caller = async (): Promise<void> => {
    while (running) {
      const message = thing(++n);
      try {
        await stage.publish([message], queue);
        load.accepted.push(message.id);
      } catch (error) {
        if (error instanceof DoubtfulPublishError) load.doubtful.push(message.id);
        else if (!(error instanceof AdmissionClosedError)) load.wrong.push(error);
        await realTime.sleep(20);
      }
    }
  };
  const all = Promise.all(Array.from({ length: callers }, caller));
  return {
    ...load,
    stop: async () => {
      running = false;
      await all;
    },
  };
}

/** Accepted messages without an effect: must be none. */
export function lostOf(load: Load, stage: Stage): string[] {
  return load.accepted.filter((id) => !stage.ledger.effects.has(id));
}

/** Effects of messages that were neither accepted nor doubtful, and those that came twice: must be none. */
export function inventedBy(load: Load, stage: Stage): string[] {
  const known = new Set([...load.accepted, ...load.doubtful]);
  return [...stage.ledger.effects].filter(([id, times]) => times !== 1 || !known.has(id)).map(([id]) => id);
}
