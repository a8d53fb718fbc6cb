import { BatchRunner } from './batch-runner.js';
import { Breaker } from './breaker.js';
import type { StreamEntry, StreamLane } from './broker.js';
import { claimPolicy, pauseOf } from './consumer-settings.js';
import type { ConsumerSettings, ConsumerTime } from './consumer-settings.js';
import { HeldEntries } from './held-entries.js';
import type { MessageReader } from './message-reader.js';
import type { StreamsLog, StreamsObserver } from './observer.js';
import type { ConsumerHealth, QueueConsumerOptions } from './consumer-options.js';
import type { Solo } from './solo.js';

export interface PartitionLoopOptions<Tx> {
  readonly lane: StreamLane;
  readonly reader: MessageReader<Tx>;
  readonly solo: Solo;
  readonly consumer: QueueConsumerOptions<Tx>;
  readonly settings: ConsumerSettings;
  readonly time: ConsumerTime;
  readonly observer: StreamsObserver;
  readonly log: StreamsLog;
}

/** Longest silence of Redis beyond the time that a read may block, and longest blockage of the database, before health turns red. */
const RED_AFTER_MS = 3_000;
const BLOCKED_RED_AFTER_MS = 30_000;

/** How long, at a stretch, what others left is handled before new messages have their turn. */
const CLAIMS_MS = 250;
/** Until the next look, when another lane of this process is at it. */
const BUSY_MS = 40;

/** Between two looks for consumer names that nobody uses any more. */
const FORGET_EVERY_MS = 30_000;

/**
 * The loop of one partition: reaper and orphan sweep when they are due, then one batch, one after the other. It ends
 * only by `stop`: whatever Redis does, it pauses (50 ms growing to seconds, never a hot loop) and goes on.
 */
export class PartitionLoop<Tx> {
  private readonly held: HeldEntries;
  private readonly breaker: Breaker;
  private readonly runner: BatchRunner<Tx>;
  private readonly stopping = new AbortController();
  private done: Promise<unknown> = Promise.resolve();
  private lastAnswer: number;
  private working = false;
  /** What the last call to Redis failed with; null: it did not. */
  private trouble: string | null = null;
  private maintainAt = 0;
  private depthAt = 0;
  private forgetAt: number;

  constructor(private readonly options: PartitionLoopOptions<Tx>) {
    const { lane, consumer, settings, time } = options;
    this.held = new HeldEntries(options);
    this.breaker = new Breaker(settings.breakerLimit);
    this.runner = new BatchRunner({
      ...options,
      queue: lane.queue,
      partition: lane.partition,
      held: this.held,
      breaker: this.breaker,
      unitOfWork: consumer.unitOfWork,
      deadLetters: consumer.deadLetters,
      classify: consumer.classify,
      around: consumer.around ?? ((_, work) => work()),
      stopping: this.stopping.signal,
    });
    this.lastAnswer = time.now();
    this.forgetAt = time.now() + this.forgetEvery;
  }

  private get forgetEvery(): number {
    return Math.min(this.options.settings.forgetMs, FORGET_EVERY_MS);
  }

  start(): void {
    this.done = Promise.all([this.run(), this.held.keepRenewing()]);
  }

  async stop(withinMs: number): Promise<void> {
    const { lane, time, log } = this.options;
    this.stopping.abort();
    this.held.end();
    lane.interrupt();
    const drainedFirst = new AbortController();
    const drained = await Promise.race([
      this.done.then(() => true),
      time.sleep(withinMs, drainedFirst.signal).then(() => false),
    ]);
    drainedFirst.abort();
    if (drained) await this.leave();
    else
      log.warn(
        { queue: lane.queue, held: this.held.all.size },
        'stopped with a batch under way; its lease will run out',
      );
    await lane.close();
  }

  health(): ConsumerHealth {
    const now = this.options.time.now();
    const name = `${this.options.lane.queue}.${this.options.lane.partition}`;
    if (this.breaker.open) return { ok: false, detail: `${name}: breaker open: ${this.breaker.reason}` };
    if (this.trouble !== null) return { ok: false, detail: `${name}: ${this.trouble}` };
    const blocked = this.runner.blocked;
    if (blocked !== null && now - blocked > BLOCKED_RED_AFTER_MS) {
      return { ok: false, detail: `${name}: nothing could be committed for ${Math.round((now - blocked) / 1_000)} s` };
    }
    if (!this.working && now - this.lastAnswer > RED_AFTER_MS + this.options.settings.waitMs) {
      return {
        ok: false,
        detail: `${name}: no answer from Redis for ${Math.round((now - this.lastAnswer) / 1_000)} s`,
      };
    }
    return { ok: true, detail: name };
  }

  private async run(): Promise<void> {
    const { lane, settings, time, log } = this.options;
    for (let failures = 0; !this.stopping.signal.aborted;) {
      try {
        if (time.now() >= this.maintainAt) await this.maintain();
        if (this.stopping.signal.aborted) break;
        if (this.breaker.open) await this.probe();
        else await this.work(await lane.read(settings.batchSize, this.readWait()));
        failures = 0;
        this.trouble = null;
      } catch (error) {
        this.trouble = error instanceof Error ? error.message : String(error);
        log.warn({ queue: lane.queue, partition: lane.partition, error }, 'no answer from the streams; trying again');
        await time.sleep(pauseOf(failures++, settings, time), this.stopping.signal);
        this.maintainAt = 0;
      }
    }
  }

  /** Reads until the next maintenance at most. */
  private readWait(): number {
    const { settings, time } = this.options;
    return Math.max(1, Math.min(settings.waitMs, Math.ceil(this.maintainAt - time.now())));
  }

  private async work(entries: readonly StreamEntry[]): Promise<void> {
    this.lastAnswer = this.options.time.now();
    if (entries.length === 0) return;
    this.held.take(entries);
    this.working = true;
    try {
      await this.runner.process(entries);
    } finally {
      this.working = false;
      this.lastAnswer = this.options.time.now();
    }
  }

  /**
   * Orphan sweep: what Redis gave to us in a reply that got lost. It runs every round and not only after a reconnect,
   * because Redis may go on serving the old, half-open link for a while. Reaper: what others left, what is due again.
   */
  private async maintain(): Promise<void> {
    const { lane, settings, time, observer } = this.options;
    await this.held.flush();
    const lost = await lane.recoverLost(this.held.all, settings.batchSize);
    if (lost.length > 0) observer.claimed?.(lane.queue, lane.partition, lost.length);
    if (this.breaker.open) await this.giveBack(lost);
    else await this.work(lost);
    const more = await this.options.solo.tryRun(() => this.workOffDue());
    await this.measure();
    const pause =
      more === null ? BUSY_MS * (0.5 + time.random()) : more ? 0 : settings.maintenanceMs * (0.75 + time.random() / 2);
    this.maintainAt = time.now() + pause;
  }

  /**
   * Takes over what is due, again and again: suspects come singly, each counted when its turn comes, and a batch that died leaves as
   * many as it held; did each wait for a batch of new messages, the last would wait long. Returns whether there may be more.
   */
  private async workOffDue(): Promise<boolean> {
    const { lane, settings, time, observer } = this.options;
    const until = time.now() + CLAIMS_MS;
    while (!this.breaker.open && !this.stopping.signal.aborted) {
      const due = await lane.claimDue(claimPolicy(settings), settings.batchSize);
      if (due.length === 0) return false;
      observer.claimed?.(lane.queue, lane.partition, due.length);
      await this.work(due);
      if (time.now() >= until) break;
    }
    return true;
  }

  private async measure(): Promise<void> {
    const { lane, settings, time, observer } = this.options;
    const now = time.now();
    if (now >= this.depthAt && observer.depth !== undefined) {
      this.depthAt = now + settings.depthMs;
      observer.depth(lane.queue, lane.partition, await lane.depth());
    }
    if (now >= this.forgetAt) {
      this.forgetAt = now + this.forgetEvery;
      await lane.forgetSilent(settings.forgetMs);
    }
  }

  /** Breaker open: one message at a time, new ones first; its success closes the breaker. */
  private async probe(): Promise<void> {
    const { lane, settings, time } = this.options;
    await time.sleep(settings.probeMs * (0.75 + time.random() / 2), this.stopping.signal);
    if (this.stopping.signal.aborted) return;
    const entries = await lane.read(1, 1);
    if (entries.length > 0) return this.work(entries);
    await this.options.solo.tryRun(async () => this.work(await lane.claimDue(claimPolicy(settings), 1)));
  }

  private async giveBack(entries: readonly StreamEntry[]): Promise<void> {
    this.held.take(entries);
    await this.held.handBack(
      entries.map(({ id, delivery }) => ({ id, deliveries: delivery - 1, when: 'now' as const })),
    );
  }

  /** What a lost reply left for this name is handed back, then the name goes; an unreachable Redis leaves both to the reaper. */
  private async leave(): Promise<void> {
    const { lane, settings, log } = this.options;
    try {
      await this.held.flush();
      await this.giveBack(await lane.recoverLost(this.held.all, settings.batchSize));
      await this.held.flush();
      await lane.leave();
    } catch (error) {
      log.warn({ queue: lane.queue, error }, 'the consumer’s name could not be removed; the others will');
    }
  }
}
