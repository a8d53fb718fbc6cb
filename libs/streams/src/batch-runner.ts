import type { BatchRunnerOptions } from './batch-runner-options.js';
import type { StreamEntry } from './broker.js';
import { Burial } from './burial.js';
import { pauseOf } from './consumer-settings.js';
import type { ConsumerTime } from './consumer-settings.js';
import { traceIdOf } from '#libs/runtime';
import { isTransient, kindOf } from './failure-kind.js';
import { PoisonMessageError } from './failures.js';
import { HandledBatch, typeOf } from './handled-batch.js';
import { reasonOf } from './message-reader.js';
import type { Readable } from './message-reader.js';
import type { DeadLetter } from './ports.js';

/** Thrown inside the transaction so that it rolls back: burying this batch's failures would open the breaker. */
class BreakerOpenedError extends Error {}

/**
 * Brings delivered entries to an end: committed and settled, dead with a reason, or handed back. Never rejects for
 * what a message or the database does.
 *
 * - First deliveries go as one batch in one transaction; a second delivery goes alone; the fifth is dead.
 * - Infrastructure, conflict, "not now": the batch stays in hand, its lease is renewed, and it is tried again after a
 *   growing pause; no count changes. After some tries its messages are tried one by one: should one be the cause
 *   (a statement that always times out), its neighbours commit and it waits outside, uncounted.
 * - Poison, data, anything else: the batch is halved until the culprit is alone. Alone, poison is dead at once, data
 *   after a second look, anything else waits for its next delivery.
 * - Failures in a row open the breaker: see there.
 */
export class BatchRunner<Tx> {
  private readonly burial: Burial<Tx>;
  private probing = false;

  constructor(private readonly options: BatchRunnerOptions<Tx>) {
    this.burial = new Burial(options);
  }

  /** Since when (ms) nothing could be committed for infrastructure's sake; null: not so. */
  get blocked(): number | null {
    return this.burial.blocked;
  }

  async process(entries: readonly StreamEntry[]): Promise<void> {
    const { reader, settings, time, breaker, held, observer, queue } = this.options;
    this.probing = breaker.open;
    const together: Readable<Tx>[] = [];
    const alone: Readable<Tx>[] = [];
    for (const entry of entries) {
      const reading = reader.read(entry);
      if (reading.kind === 'unreadable') {
        await this.burial.bury(entry, reading.letter);
      } else if (reading.kind === 'unknown') {
        if (time.now() - Number(entry.id.split('-', 1)[0]) > settings.unknownTypeMs)
          await this.burial.bury(entry, reading.letter);
        else {
          observer.failed?.(queue, 'unknown_type', 1);
          await held.handBack([{ id: entry.id, deliveries: entry.delivery - 1, when: 'later' }]);
        }
      } else if (entry.delivery >= settings.deadDelivery && !this.probing) {
        const { message, handler } = reading.work;
        const detail = `Delivered ${entry.delivery} times without success; ${this.burial.lastFailureOf(entry.id)}`;
        const letter = reader.letter(entry, message.envelope, 'too_many_deliveries', detail, handler);
        await this.burial.bury(entry, letter, async (tx) => (await handler.wasApplied?.(tx, message)) ?? false);
      } else (entry.delivery === 1 ? together : alone).push(reading.work);
    }
    if (together.length > 0) await this.run(together, 0);
    for (const work of alone) await this.run([work], 0);
  }

  /** `doubts`: how often these messages were part of a batch that data failed. */
  private async run(group: readonly Readable<Tx>[], doubts: number): Promise<void> {
    const { held, breaker, stopping, settings, time } = this.options;
    for (let attempt = 0; ; attempt++) {
      const mine = group.filter((work) => held.has(work.entry.id));
      if (mine.length === 0) return;
      if (stopping.aborted || (breaker.open && !this.probing)) return this.release(mine, 'now');
      try {
        await this.attempt(mine);
        return;
      } catch (error) {
        if (error instanceof BreakerOpenedError) return this.release(mine, 'now');
        const kind = this.judge(error, mine);
        if (kind === 'poison' || kind === 'data' || kind === 'other') {
          if (mine.length === 1) return this.failedAlone(mine[0]!, kind, error, doubts);
          const middle = mine.length >> 1;
          const doubted = doubts + (kind === 'data' ? 1 : 0);
          await this.run(mine.slice(0, middle), doubted);
          return this.run(mine.slice(middle), doubted);
        }
        if (attempt >= settings.patience && (await this.isolate(mine))) return;
        await time.sleep(pauseOf(attempt, settings, time), stopping);
      }
    }
  }

  /** One transaction. Returns when it is committed and the acknowledgement is on its way. */
  private async attempt(group: readonly Readable<Tx>[]): Promise<void> {
    const { unitOfWork, deadLetters, reader, held, time, observer, queue, partition, around } = this.options;
    const started = time.now();
    let batch = new HandledBatch(group, reader);
    let letters: DeadLetter[] = [];
    const transaction = (): Promise<void> =>
      unitOfWork.run(async (tx) => {
        batch = new HandledBatch(group, reader);
        await batch.handle(tx);
        letters = batch.letters();
        if (letters.length === 0) return;
        this.refuseWhenAllFail(batch);
        await deadLetters.record(tx, letters);
      });
    await around(
      group.map(({ message }) => message),
      transaction,
    );

    const ids = group.map((work) => work.entry.id);
    this.burial.noteCommitted(ids);
    for (const work of batch.afterwards) await this.afterCommit(work);
    await held.settle(ids);
    observer.processed?.(queue, partition, group.length, (time.now() - started) / 1_000);
    for (const letter of letters) this.burial.noteDead(letter);
    if (letters.length > 0 || !this.options.breaker.calm) this.count(batch);
  }

  private async afterCommit(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.log.error({ queue: this.options.queue, error }, 'work after the commit failed; the commit stands');
    }
  }

  /** @throws BreakerOpenedError when burying what the handlers failed would be the failure too many. */
  private refuseWhenAllFail(batch: HandledBatch<Tx>): void {
    const { breaker } = this.options;
    for (const [type, { failed, taken, reason }] of batch.tally()) {
      if (taken > 0 || failed < breaker.allowance(type)) continue;
      while (!breaker.open) this.burial.noteFailed(type, reason);
      throw new BreakerOpenedError(reason);
    }
  }

  private count(batch: HandledBatch<Tx>): void {
    const { breaker, observer, queue, partition, log } = this.options;
    for (const [type, { failed, taken, reason }] of batch.tally()) {
      if (taken > 0) {
        if (!breaker.succeeded(type)) continue;
        observer.breaker?.(queue, partition, false);
        log.info({ queue, partition }, 'breaker closed');
      } else for (let i = 0; i < failed; i++) this.burial.noteFailed(type, reason);
    }
  }

  private async failedAlone(work: Readable<Tx>, kind: string, error: unknown, doubts: number): Promise<void> {
    const { reader, held, settings } = this.options;
    const { entry, message, handler } = work;
    if (kind === 'data' && doubts === 0) return this.run([work], 1);
    if (kind === 'other') {
      if (this.burial.noteFailed(typeOf(message), reasonOf(error))) return this.release([work], 'retry');
      this.burial.remember(entry.id, reasonOf(error));
      const deliveries = Math.min(entry.delivery, settings.deadDelivery);
      return held.handBack([{ id: entry.id, deliveries, when: 'retry' }]);
    }
    const code = error instanceof PoisonMessageError ? error.code : 'data_rejected';
    await this.burial.bury(entry, reader.letter(entry, message.envelope, code, reasonOf(error), handler));
  }

  /**
   * Infrastructure has failed this group again and again: is it the world or one of the messages? Tries them one by one
   * in random order. Returns false when nothing at all works (keep waiting), true when the group is dealt with.
   */
  private async isolate(group: readonly Readable<Tx>[]): Promise<boolean> {
    if (group.length === 1) {
      await this.release(group, 'retry');
      return true;
    }
    const failed: Readable<Tx>[] = [];
    let worked = 0;
    for (const work of shuffled(group, this.options.time)) {
      try {
        await this.attempt([work]);
        worked++;
      } catch (error) {
        if (error instanceof BreakerOpenedError) {
          await this.release(group, 'now');
          return true;
        }
        const kind = this.judge(error, [work]);
        if (kind === 'poison' || kind === 'data' || kind === 'other') await this.failedAlone(work, kind, error, 0);
        else failed.push(work);
      }
      if (this.options.stopping.aborted || (worked === 0 && failed.length === 2)) return false;
    }
    await this.release(failed, 'retry');
    return true;
  }

  /** Gives back what is still held, uncounted. */
  private release(group: readonly Readable<Tx>[], when: 'now' | 'retry'): Promise<void> {
    const back = group.map(({ entry }) => ({ id: entry.id, deliveries: entry.delivery - 1, when }));
    return this.options.held.handBack(back);
  }

  private judge(error: unknown, group: readonly Readable<Tx>[]): ReturnType<typeof kindOf> {
    const { classify, observer, log, queue, partition } = this.options;
    const kind = kindOf(error, classify);
    if (isTransient(kind)) this.burial.noteBlocked();
    observer.failed?.(queue, kind === 'poison' ? 'other' : kind, group.length);
    const { id, traceparent } = group[0]!.message.envelope;
    log.warn(
      { queue, partition, kind, messages: group.length, first: id, trace_id: traceIdOf(traceparent), error },
      'batch failed',
    );
    return kind;
  }
}

function shuffled<T>(items: readonly T[], time: ConsumerTime): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(time.random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
