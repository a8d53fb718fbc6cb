import type { StreamEntry } from './broker.js';
import type { Breaker } from './breaker.js';
import { pauseOf } from './consumer-settings.js';
import type { ConsumerSettings, ConsumerTime } from './consumer-settings.js';
import { PoisonMessageError } from './failures.js';
import type { FailureKind } from './failures.js';
import { kindOf } from './failure-kind.js';
import { HandledBatch, typeOf } from './handled-batch.js';
import type { HeldEntries } from './held-entries.js';
import { reasonOf } from './message-reader.js';
import type { MessageReader, Readable } from './message-reader.js';
import type { StreamsLog, StreamsObserver } from './observer.js';
import type { DeadLetter, DeadLetterStore, UnitOfWork } from './ports.js';

export interface BatchRunnerOptions<Tx> {
  readonly queue: string;
  readonly partition: number;
  readonly reader: MessageReader<Tx>;
  readonly held: HeldEntries;
  readonly breaker: Breaker;
  readonly unitOfWork: UnitOfWork<Tx>;
  readonly deadLetters: DeadLetterStore<Tx>;
  readonly classify: (error: unknown) => FailureKind;
  readonly withCorrelation: <T>(correlationId: string, work: () => Promise<T>) => Promise<T>;
  readonly settings: ConsumerSettings;
  readonly time: ConsumerTime;
  readonly observer: StreamsObserver;
  readonly log: StreamsLog;
  /** Aborted at stop: what waits for the database is handed back. */
  readonly stopping: AbortSignal;
}

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
  /** Last failure of an entry seen by this process, for the reason of its dead letter. */
  private readonly lastFailures = new Map<string, string>();
  private probing = false;
  private blockedSince: number | null = null;

  constructor(private readonly options: BatchRunnerOptions<Tx>) {}

  /** Since when (ms) nothing could be committed for infrastructure's sake; null: not so. */
  get blocked(): number | null {
    return this.blockedSince;
  }

  async process(entries: readonly StreamEntry[]): Promise<void> {
    const { reader, settings, time, breaker, held, observer, queue } = this.options;
    this.probing = breaker.open;
    const together: Readable<Tx>[] = [];
    const alone: Readable<Tx>[] = [];
    for (const entry of entries) {
      const reading = reader.read(entry);
      if (reading.kind === 'unreadable') {
        await this.bury(entry, reading.letter);
      } else if (reading.kind === 'unknown') {
        if (time.now() - Number(entry.id.split('-', 1)[0]) > settings.unknownTypeMs)
          await this.bury(entry, reading.letter);
        else {
          observer.failed?.(queue, 'unknown_type', 1);
          await held.handBack([{ id: entry.id, deliveries: entry.delivery - 1, when: 'later' }]);
        }
      } else if (entry.delivery >= settings.deadDelivery && !this.probing) {
        const { message, handler } = reading.work;
        const last =
          this.lastFailures.get(entry.id) ?? 'no delivery ended with an answer: the process died or stood still';
        const detail = `Delivered ${entry.delivery} times without success; ${last}`;
        const letter = reader.letter(entry, message.envelope, 'too_many_deliveries', detail, handler);
        await this.bury(entry, letter, async (tx) => (await handler.wasApplied?.(tx, message)) ?? false);
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
    const { unitOfWork, deadLetters, reader, held, time, observer, queue, partition, withCorrelation } = this.options;
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
    if (group.length === 1) await withCorrelation(group[0]!.message.envelope.correlationId, transaction);
    else await transaction();

    this.blockedSince = null;
    for (const work of batch.afterwards) await this.afterCommit(work);
    await held.settle(group.map((work) => work.entry.id));
    observer.processed?.(queue, partition, group.length, (time.now() - started) / 1_000);
    for (const letter of letters) this.noteDead(letter);
    this.count(batch);
    if (this.lastFailures.size > 0) for (const work of group) this.lastFailures.delete(work.entry.id);
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
      while (!breaker.open) this.noteFailed(type, reason);
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
      } else for (let i = 0; i < failed; i++) this.noteFailed(type, reason);
    }
  }

  /** Counts one failure. Returns true when the breaker is open now, so that nothing more may be counted or buried. */
  private noteFailed(type: string, reason: string): boolean {
    const { breaker, observer, queue, partition, log } = this.options;
    if (breaker.failed(type, reason)) {
      observer.breaker?.(queue, partition, true);
      log.error({ queue, partition, reason: breaker.reason }, 'breaker opened: nothing is read but probes');
    }
    return breaker.open;
  }

  private async failedAlone(work: Readable<Tx>, kind: string, error: unknown, doubts: number): Promise<void> {
    const { reader, held, settings } = this.options;
    const { entry, message, handler } = work;
    if (kind === 'data' && doubts === 0) return this.run([work], 1);
    if (kind === 'other') {
      if (this.noteFailed(typeOf(message), reasonOf(error))) return this.release([work], 'retry');
      this.lastFailures.set(entry.id, reasonOf(error));
      if (this.lastFailures.size > 1_000) this.lastFailures.delete(this.lastFailures.keys().next().value!);
      const deliveries = Math.min(entry.delivery, settings.deadDelivery);
      return held.handBack([{ id: entry.id, deliveries, when: 'retry' }]);
    }
    const code = error instanceof PoisonMessageError ? error.code : 'data_rejected';
    await this.bury(entry, reader.letter(entry, message.envelope, code, reasonOf(error), handler));
  }

  /**
   * Records one dead letter in a transaction of its own and settles its entry. While the breaker is open nothing is
   * buried; a store that refuses it leaves the entry in the queue, to be tried again: better stuck than lost.
   */
  private async bury(entry: StreamEntry, letter: DeadLetter, wasApplied?: (tx: Tx) => Promise<boolean>): Promise<void> {
    const { unitOfWork, deadLetters, held, settings, time, stopping, log, queue } = this.options;
    const type = letter.envelope === null ? 'unreadable' : `${letter.envelope.type}@${letter.envelope.version}`;
    const back = { id: entry.id, deliveries: entry.delivery - 1 };
    if (this.noteFailed(type, `${letter.code}: ${letter.detail}`)) return held.handBack([{ ...back, when: 'retry' }]);
    for (let attempt = 0; held.has(entry.id); attempt++) {
      if (stopping.aborted) return held.handBack([{ ...back, when: 'now' }]);
      try {
        const dead = await unitOfWork.run(async (tx) => {
          if ((await wasApplied?.(tx)) === true) return false;
          await deadLetters.record(tx, [letter]);
          return true;
        });
        this.blockedSince = null;
        this.lastFailures.delete(entry.id);
        await held.settle([entry.id]);
        if (dead) this.noteDead(letter);
        return;
      } catch (error) {
        const kind = kindOf(error, this.options.classify);
        if (kind !== 'infrastructure' && kind !== 'conflict' && kind !== 'not_now') {
          log.error(
            { queue, entry: entry.id, error },
            'a dead letter could not be kept; its message stays in the queue',
          );
          return held.handBack([{ id: entry.id, deliveries: entry.delivery, when: 'retry' }]);
        }
        this.blockedSince ??= time.now();
        await time.sleep(pauseOf(attempt, settings, time), stopping);
      }
    }
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
    const { classify, observer, log, queue, partition, time } = this.options;
    const kind = kindOf(error, classify);
    const blocked = kind === 'infrastructure' || kind === 'not_now' || kind === 'conflict';
    if (blocked) this.blockedSince ??= time.now();
    observer.failed?.(queue, kind === 'poison' ? 'other' : kind, group.length);
    log.warn(
      { queue, partition, kind, messages: group.length, first: group[0]!.message.envelope.id, error },
      'batch failed',
    );
    return kind;
  }

  private noteDead(letter: DeadLetter): void {
    const { observer, log, queue } = this.options;
    observer.dead?.(queue, letter.code, 1);
    const { code, detail, deliveries } = letter;
    log.error({ queue, code, detail, deliveries, message: letter.envelope?.id ?? null }, 'message is dead');
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
