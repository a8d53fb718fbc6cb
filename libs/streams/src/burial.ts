import { traceIdOf } from '#libs/runtime';
import type { BatchRunnerOptions } from './batch-runner-options.js';
import { UNREADABLE } from './breaker.js';
import type { StreamEntry } from './broker.js';
import { pauseOf } from './consumer-settings.js';
import { isTransient, kindOf } from './failure-kind.js';
import type { DeadLetter } from './ports.js';

/**
 * The end of messages that cannot be handled, and the count of failures that may stop it all. Nothing is buried while
 * the breaker is open, so a fault of ours costs at most the breaker's limit.
 */
export class Burial<Tx> {
  /** Last failure of an entry seen by this process, for the reason of its dead letter. */
  private readonly lastFailures = new Map<string, string>();
  private blockedSince: number | null = null;

  constructor(private readonly options: BatchRunnerOptions<Tx>) {}

  /** Since when (ms) nothing could be committed for infrastructure's sake; null: not so. */
  get blocked(): number | null {
    return this.blockedSince;
  }

  noteBlocked(): void {
    this.blockedSince ??= this.options.time.now();
  }

  noteCommitted(ids: readonly string[]): void {
    this.blockedSince = null;
    if (this.lastFailures.size > 0) for (const id of ids) this.lastFailures.delete(id);
  }

  remember(id: string, failure: string): void {
    this.lastFailures.set(id, failure);
    if (this.lastFailures.size > 1_000) this.lastFailures.delete(this.lastFailures.keys().next().value!);
  }

  lastFailureOf(id: string): string {
    return this.lastFailures.get(id) ?? 'no delivery ended with an answer: the process died or stood still';
  }

  /** Counts one failure. Returns true when the breaker is open now, so that nothing more may be counted or buried. */
  noteFailed(type: string, reason: string): boolean {
    const { breaker, observer, queue, partition, log } = this.options;
    if (breaker.failed(type, reason)) {
      observer.breaker?.(queue, partition, true);
      log.error({ queue, partition, reason: breaker.reason }, 'breaker opened: nothing is read but probes');
    }
    return breaker.open;
  }

  noteDead(letter: DeadLetter): void {
    const { observer, log, queue } = this.options;
    observer.dead?.(queue, letter.code, 1);
    const { code, detail, deliveries, envelope } = letter;
    const message = envelope?.id ?? null;
    log.error(
      { queue, code, detail, deliveries, message, trace_id: traceIdOf(envelope?.traceparent) },
      'message is dead',
    );
  }

  /**
   * Records one dead letter in a transaction of its own and settles its entry, unless the message `wasApplied` after
   * all. A store that refuses the letter leaves the entry in the queue, to be tried again: better stuck than lost.
   */
  async bury(entry: StreamEntry, letter: DeadLetter, wasApplied?: (tx: Tx) => Promise<boolean>): Promise<void> {
    const { held, settings, time, stopping, log, queue } = this.options;
    const type = letter.envelope === null ? UNREADABLE : `${letter.envelope.type}@${letter.envelope.version}`;
    const back = { id: entry.id, deliveries: entry.delivery - 1 };
    if (this.noteFailed(type, `${letter.code}: ${letter.detail}`)) return held.handBack([{ ...back, when: 'retry' }]);
    for (let attempt = 0; held.has(entry.id); attempt++) {
      if (stopping.aborted) return held.handBack([{ ...back, when: 'now' }]);
      try {
        const dead = await this.record(letter, wasApplied);
        this.noteCommitted([entry.id]);
        await held.settle([entry.id]);
        if (dead) this.noteDead(letter);
        return;
      } catch (error) {
        if (!isTransient(kindOf(error, this.options.classify))) {
          log.error(
            { queue, entry: entry.id, error },
            'a dead letter could not be kept; its message stays in the queue',
          );
          return held.handBack([{ id: entry.id, deliveries: entry.delivery, when: 'retry' }]);
        }
        this.noteBlocked();
        await time.sleep(pauseOf(attempt, settings, time), stopping);
      }
    }
  }

  private record(letter: DeadLetter, wasApplied?: (tx: Tx) => Promise<boolean>): Promise<boolean> {
    return this.options.unitOfWork.run(async (tx) => {
      if ((await wasApplied?.(tx)) === true) return false;
      await this.options.deadLetters.record(tx, [letter]);
      return true;
    });
  }
}
