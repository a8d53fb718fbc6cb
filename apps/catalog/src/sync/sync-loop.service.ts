import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { classifySqlError, sqlState } from '#libs/database';
import { UNIT_OF_WORK } from '#libs/outbox';
import { newId, withCorrelation, type Clock, type Logger } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { CLOCK, LOGGER } from '../clock.js';
import { AskUpstreamService, type Answered } from './ask-upstream.service.js';
import { SettleAnswersService } from './settle-answers.service.js';

/** How long a subject belongs to who took it. Longer than the longest fetch with its waiting for a place. */
const LEASE_MS = 5 * 60_000;
/** How many subjects are taken ahead of those that can be asked for at once. */
const AHEAD = 2;
/** Answers written in one transaction. */
const WRITE_BATCH = 32;
/** Between two tries to write an answer that the database is not ready for. */
const REWRITE_MS = 500;

/**
 * Asks upstream for what is due, for as long as the service runs:
 *
 *   claim (a lease in Postgres, other replicas skip it) → ask (through the host's gate) → answers gather → settle (one transaction a batch)
 *
 * Error branches: upstream's faults are answers and settle as failures with a reason; a batch that cannot be written is tried answer by answer,
 * so that one cannot keep the others out; Postgres away → the loop waits, answers are kept as long as their leases last.
 */
@Injectable()
export class SyncLoopService {
  private readonly owner = newId();
  private readonly answers: Answered[] = [];
  private active = 0;
  private stopping = false;
  private running: Promise<void> | null = null;
  private writing: Promise<void> | null = null;
  private wake: AbortController | null = null;
  private nudged = false;
  private trouble: string | null = null;

  constructor(
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    private readonly ask: AskUpstreamService,
    private readonly settle: SettleAnswersService,
  ) {}

  /** Starts in the background; database and upstream may still be away. */
  start(): void {
    this.running ??= this.run();
  }

  /** Something has become due: look now. */
  nudge(): void {
    this.nudged = true;
    this.wake?.abort();
  }

  /** Takes nothing new, waits for what is on its way, writes it, gives the rest back. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.stopping = true;
    this.wake?.abort();
    await this.running;
    await this.unitOfWork
      .run((tx) => this.settle.release(tx, this.owner, this.clock.now()))
      .catch((error: unknown) =>
        this.log.warn({ err: error }, 'leases were not given back; they run out by themselves'),
      );
  }

  /** Subjects that are being asked for, and answers that are not written yet. */
  get underway(): number {
    return this.active + this.answers.length + (this.writing ? 1 : 0);
  }

  health(): { readonly ok: boolean; readonly detail?: string } {
    if (!this.running || this.stopping) return { ok: false, detail: 'not running' };
    return this.trouble === null ? { ok: true } : { ok: false, detail: this.trouble };
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      let claimed = 0;
      try {
        claimed = await this.claim();
        this.trouble = null;
      } catch (error) {
        this.trouble = `nothing can be claimed: ${(error as Error).message}`;
        this.log.warn({ err: error }, 'the sync loop cannot claim; trying again');
        await this.pause(2_000);
        continue;
      }
      // A full hand means there may be more; then the next claim waits for a free place only.
      if (claimed === 0) await this.pause(this.ask.beat.pollMs);
      else if (this.active >= this.capacity) await this.pause(50);
    }
    while (this.active > 0 || this.answers.length > 0 || this.writing) {
      await (this.writing ?? this.pause(20));
    }
  }

  private get capacity(): number {
    return this.ask.concurrency * AHEAD;
  }

  private async claim(): Promise<number> {
    // Answers that wait to be written count: a slow database must not fill the memory with documents.
    const free = this.capacity - this.active - this.answers.length;
    if (free < this.capacity / 2) return 0;
    const now = this.clock.now();
    const claimed = await this.unitOfWork.run((tx) =>
      this.ask.claim(tx, {
        owner: this.owner,
        now,
        leaseUntil: new Date(now.getTime() + LEASE_MS),
        limit: free,
      }),
    );
    for (const subject of claimed) {
      this.active += 1;
      void withCorrelation(newId(), () => this.ask.ask(subject))
        .then((answered) => {
          this.answers.push(answered);
          this.write();
        })
        .catch((error: unknown) =>
          this.log.error({ err: error, subject: subject.subject }, 'asking upstream failed in an unforeseen way'),
        )
        .finally(() => {
          this.active -= 1;
          if (this.active <= this.capacity / 2) this.nudge();
        });
    }
    return claimed.length;
  }

  private write(): void {
    this.writing ??= this.writeAll().finally(() => {
      this.writing = null;
      if (this.answers.length > 0) this.write();
    });
  }

  private async writeAll(): Promise<void> {
    while (this.answers.length > 0) {
      const batch = this.answers.splice(0, WRITE_BATCH);
      try {
        await this.commit(batch);
      } catch (error) {
        this.log.warn(
          { err: error, answers: batch.length },
          'a batch of answers could not be written; trying each alone',
        );
        for (const answered of batch) await this.writeAlone(answered);
      }
    }
  }

  /**
   * What Postgres will never take is upstream's failure, with its reason. While it is away the answer is kept: to ask again when the lease has run
   * out would be minutes late. Anything else is tried again then.
   */
  private async writeAlone(answered: Answered): Promise<void> {
    const { subject } = answered.claimed;
    const leaseEnds = this.clock.now().getTime() + LEASE_MS;
    for (let writing = answered; ;) {
      try {
        await this.commit([writing]);
        return;
      } catch (error) {
        this.log.error({ err: error, subject }, 'an answer could not be written');
        if (isRefused(error) && writing === answered) writing = unstorable(answered, error as Error);
        else if (classifySqlError(error) !== 'infrastructure') return;
        else if (this.stopping || this.clock.now().getTime() >= leaseEnds) return;
        else await this.ask.timers.sleep(REWRITE_MS);
      }
    }
  }

  private commit(batch: readonly Answered[]): Promise<void> {
    return this.unitOfWork.run((tx) => this.settle.settle(tx, this.owner, batch, this.clock.now()));
  }

  private async pause(ms: number): Promise<void> {
    if (this.nudged || this.stopping) {
      this.nudged = false;
      if (!this.stopping) return;
    }
    this.wake = new AbortController();
    await this.ask.timers.sleep(ms, this.wake.signal);
    this.wake = null;
    this.nudged = false;
  }
}

/** The data are wrong, or beyond what a row or an index holds: the same answer will never be written. */
function isRefused(error: unknown): boolean {
  return classifySqlError(error) === 'data' || (sqlState(error)?.startsWith('54') ?? false);
}

/** The same subject, answered with a failure. */
function unstorable({ claimed }: Answered, error: Error): Answered {
  const answer = {
    kind: 'failed' as const,
    failure: { code: 'unstorable', detail: `the database refuses what it says: ${error.message}`, retryAfterMs: null },
  };
  return claimed.kind === 'module' ? { claimed, answer } : { claimed, answer };
}
