import type { Envelope, Publisher, StreamsLog } from '#libs/streams';
import { AdmissionClosedError, silentLog } from '#libs/streams';
import { Backoff } from './backoff.js';
import { connectRelay, type OutboxRow, type RelaySession } from './relay-session.js';
import { aroundRelay } from './work-scope.js';

/**
 * Carries the rows of a schema's outbox to the streams.
 *
 * One relay of a schema leads, by a session lock on a connection of its own; those of other processes stand by and ask again. The leader takes
 * the oldest rows of every queue, publishes them (queues side by side, each in the order written, so that the rows of one key keep theirs), and
 * deletes what was durably answered for. A crash or a lost answer in between sends rows again under the same message ids: at least once.
 * Rows are looked for, not counted past, so that a transaction that commits late is skipped by nobody.
 *
 * It looks when nudged after a commit in its process, and by itself with growing pauses while there is nothing. NOTIFY is not used: it
 * serialises the commits of the whole database (measured: 7 × slower).
 *
 * Error branches: a queue that refuses → that queue alone waits, longer each time; Postgres away or half-open → the session is dropped, the
 * lock with it, and a new one is tried, longer each time. No transaction is open while a publish runs: a Redis that is away must not hold
 * vacuum back.
 */
export class OutboxRelay {
  private readonly settings: Required<Pick<OutboxRelayOptions, 'batchSize' | 'batchBytes' | 'idleMs' | 'standbyMs'>>;
  private readonly log: StreamsLog;
  private readonly queues = new Map<string, Backoff>();
  private readonly database = new Backoff();
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private session: RelaySession | undefined;
  private nudged = false;
  private wake: (() => void) | undefined;
  private leading = false;
  private drainUntil = Infinity;

  constructor(private readonly options: OutboxRelayOptions) {
    this.settings = { batchSize: 500, batchBytes: 4 * 1024 * 1024, idleMs: 200, standbyMs: 250, ...definedOf(options) };
    this.log = options.log ?? silentLog;
  }

  /** Starts in the background; Postgres and Redis may still be away. */
  start(): void {
    this.running ??= this.run();
  }

  /** There is something to send: look now. Costs nothing. */
  nudge(): void {
    this.nudged = true;
    this.wake?.();
  }

  /** Sends what is there, but no longer than `withinMs`, then gives the lock back. What is left waits for the next leader. */
  async stop(withinMs = 5_000): Promise<void> {
    if (this.running === undefined) return;
    this.drainUntil = performance.now() + withinMs;
    this.stopping.abort();
    this.wake?.();
    const cut = setTimeout(() => this.session?.cut(), withinMs);
    await this.running.finally(() => clearTimeout(cut));
  }

  /** Red when it has been unable to look at the table, or to write to some queue, for ten seconds. */
  health(): { readonly ok: boolean; readonly detail: string } {
    const ailing = [...this.queues].filter(([, backoff]) => backoff.failingMs() > 0);
    const failingMs = Math.max(this.database.failingMs(), ...ailing.map(([, backoff]) => backoff.failingMs()));
    const ok = this.running !== undefined && !this.stopping.signal.aborted && failingMs < 10_000;
    if (this.running === undefined) return { ok, detail: 'not started' };
    if (this.database.failingMs() > 0) return { ok, detail: `database: ${this.database.reason}` };
    if (ailing.length > 0)
      return { ok, detail: ailing.map(([queue, backoff]) => `${queue}: ${backoff.reason}`).join('; ') };
    return { ok, detail: this.leading ? 'leading' : 'standing by' };
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        this.session = await connectRelay(this.options);
        await this.serve(this.session);
      } catch (error) {
        if (this.database.failed(error))
          this.log.warn({ error: messageOf(error) }, 'The outbox relay lost its database; trying again');
      } finally {
        this.leading = false;
        await this.session?.close();
        this.session = undefined;
      }
      await this.database.wait(this.stopping.signal);
    }
  }

  private async serve(session: RelaySession): Promise<void> {
    while (!(await session.tryLead())) {
      this.database.succeeded();
      await this.pause(this.settings.standbyMs);
      this.nudged = false;
      if (this.stopping.signal.aborted) return;
    }
    this.leading = true;
    let idleMs = 5;
    for (;;) {
      this.nudged = false;
      // A look that began before the stop may have missed what was committed since: only one that began after it can be the last.
      const draining = this.stopping.signal.aborted;
      const { sent, full } = await this.relayOnce(session);
      this.database.succeeded();
      if (draining && (sent === 0 || performance.now() > this.drainUntil)) return;
      if (full) continue;
      idleMs = sent > 0 ? 5 : Math.min(idleMs * 2, this.settings.idleMs);
      await this.pause(idleMs);
    }
  }

  /** One look at the table. `full`: some queue had more than fits a batch. */
  private async relayOnce(session: RelaySession): Promise<{ sent: number; full: boolean }> {
    const resting = [...this.queues].filter(([, backoff]) => backoff.restsMs() > 0).map(([queue]) => queue);
    const batches = new Map<string, OutboxRow[]>();
    for (const row of await session.oldest(this.settings.batchSize, this.settings.batchBytes, resting)) {
      const batch = batches.get(row.queue);
      if (batch === undefined) batches.set(row.queue, [row]);
      else batch.push(row);
    }
    let sent = 0;
    let full = false;
    await Promise.all(
      [...batches].map(async ([queue, batch]) => {
        const envelopes = batch.map(({ envelope, body }): Envelope => ({ ...envelope, body }));
        if (!(await this.publish(queue, envelopes))) return;
        await session.remove(
          queue,
          batch.map(({ id }) => id),
        );
        sent += batch.length;
        full ||= batch.at(-1)!.more;
      }),
    );
    return { sent, full };
  }

  private async publish(queue: string, envelopes: readonly Envelope[]): Promise<boolean> {
    let backoff = this.queues.get(queue);
    if (backoff === undefined) this.queues.set(queue, (backoff = new Backoff()));
    try {
      const { schema, publisher } = this.options;
      await aroundRelay(schema, queue, envelopes, () => publisher.publish(queue, envelopes));
      backoff.succeeded();
      this.options.observer?.relayed?.(queue, envelopes.length);
      return true;
    } catch (error) {
      const restMs = error instanceof AdmissionClosedError ? error.retryAfterSeconds * 1_000 : undefined;
      if (backoff.failed(error, restMs))
        this.log.warn({ queue, error: messageOf(error) }, 'The outbox relay cannot write to a queue; trying again');
      this.options.observer?.refused?.(queue, envelopes.length);
      return false;
    }
  }

  /** Until `ms` are over, a nudge, or the stop. */
  private async pause(ms: number): Promise<void> {
    if (this.nudged || this.stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
  }
}

export interface OutboxRelayOptions {
  /** The service's database and schema; the relay opens a connection of its own. */
  readonly url: string;
  readonly schema: string;
  readonly publisher: Publisher;
  /** Rows and bytes of one queue taken at once. Default 500 and 4 MiB. */
  readonly batchSize?: number;
  readonly batchBytes?: number;
  /** Longest pause in ms between two looks at an empty table. Default 200. */
  readonly idleMs?: number;
  /** Pause in ms between two attempts to lead. Default 250. */
  readonly standbyMs?: number;
  readonly observer?: RelayObserver;
  readonly log?: StreamsLog;
}

/** Metric hooks; must not throw. */
export interface RelayObserver {
  relayed?(queue: string, count: number): void;
  refused?(queue: string, count: number): void;
}

function definedOf<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
