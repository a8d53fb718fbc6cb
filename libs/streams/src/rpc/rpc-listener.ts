import { setTimeout as delay } from 'node:timers/promises';
import type { RedisConnection } from '../connect-redis.js';
import type { StreamsLog } from '../observer.js';
import { CancelSubscription } from './cancel-subscription.js';
import { entriesOf } from './reply-reader.js';
import { RpcUnavailableError, toWireError } from './rpc-errors.js';
import {
  MOST_REPLIES,
  QUESTION,
  readQuestion,
  requestKey,
  SERVERS,
  takenAt,
  writeAnswer,
  writeFailure,
  type WireQuestion,
} from './rpc-wire.js';

const BLOCK_MS = 2_000;
const CLOCK_MS = 10_000;

/** A question with what its handler may want to know. */
export interface Question {
  readonly method: string;
  readonly data: unknown;
  readonly correlationId: string | null;
  /** Aborts at the deadline, when the caller gives up, and when the server stops impatiently. */
  readonly signal: AbortSignal;
  /** Milliseconds left until nobody waits for the answer. */
  remainingMs(): number;
}

export interface RpcListenerOptions {
  readonly service: string;
  /** Of role streams; the listener opens siblings for what blocks and closes those only. */
  readonly connection: RedisConnection;
  /** Questions worked on at the same time; more wait in the stream, where another server can take them. */
  readonly concurrency: number;
  /** The answer; what it throws crosses as its code. */
  readonly answer: (question: Question) => Promise<unknown>;
  readonly observer: RpcServerObserver;
  readonly log: StreamsLog;
}

/** Metric hooks; must not throw. */
export interface RpcServerObserver {
  /** `outcome`: `ok` or the error's code. */
  answered?(method: string, outcome: string, seconds: number): void;
  /** Dropped unanswered: its deadline was over, or its caller had given up, before its turn came. */
  dropped?(method: string, why: 'expired' | 'cancelled'): void;
}

interface Running {
  readonly question: WireQuestion;
  readonly abort: AbortController;
  cancelled: boolean;
}

/** Reads a service's questions, has them answered side by side, and sends the answers back in batches. */
export class RpcListener {
  private readonly reader: RedisConnection;
  private readonly cancels: CancelSubscription;
  private readonly running = new Map<string, Running>();
  private readonly key: string;
  private answers = new Map<string, string[]>();
  private flushing = Promise.resolve();
  /** Redis's clock minus this machine's monotonic one, in ms. */
  private clockOffset = 0;
  private clockReadAt = -Infinity;
  private readerId: number | null = null;
  private stopping = false;
  private loop: Promise<void> | undefined;
  private slotFree: (() => void) | undefined;
  private lastRead = performance.now();

  constructor(private readonly options: RpcListenerOptions) {
    const { connection, service } = options;
    this.key = requestKey(service);
    this.reader = connection.sibling({ name: `${connection.name}-questions`, role: 'blocking' });
    this.cancels = new CancelSubscription(connection, service, (id) => this.cancel(id));
  }

  /** @throws RedisUnavailableError when Redis is away: a server that nobody can reach should not look started. */
  async start(): Promise<void> {
    await Promise.all([this.options.connection.ready(), this.reader.ready()]);
    await this.createGroup();
    await this.readClock();
    await this.cancels.start();
    this.loop = this.read();
  }

  /** Takes no more questions, answers those it has within `withinMs`, aborts the rest. */
  async stop(withinMs = 5_000): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    await this.endReading();
    await this.cancels.stop();
    const end = performance.now() + withinMs;
    while (this.running.size > 0 && performance.now() < end) await delay(10);
    for (const { question, abort } of this.running.values()) {
      const stopping = new RpcUnavailableError(`${this.options.service} is stopping.`);
      this.send(question.reply, question.n, writeFailure(toWireError(stopping)));
      abort.abort(stopping);
    }
    await this.flush();
  }

  /** Red when Redis has not answered a read for long. */
  health(): { readonly ok: boolean; readonly detail: string } {
    const silentMs = performance.now() - this.lastRead;
    const ok = this.loop !== undefined && !this.stopping && silentMs < BLOCK_MS + 5_000;
    return {
      ok,
      detail: ok ? `${this.running.size} questions in work` : `no answer from Redis for ${Math.round(silentMs)} ms`,
    };
  }

  /** Wakes the blocked read instead of cutting it: a question that Redis hands out at this moment would be lost. */
  private async endReading(): Promise<void> {
    let ended = this.loop === undefined;
    const loop = this.loop?.finally(() => (ended = true));
    while (!ended) {
      this.slotFree?.();
      const id = this.readerId;
      // It may not have been blocked yet: again until it has ended, which it does by itself after its BLOCK time at the latest.
      if (id !== null)
        await this.options.connection.run((client) => client.client('UNBLOCK', id), 500).catch(() => undefined);
      await Promise.race([loop, delay(20)]);
    }
    await this.reader.close();
  }

  private async read(): Promise<void> {
    while (!this.stopping) {
      const free = this.options.concurrency - this.running.size;
      if (free <= 0) {
        await new Promise<void>((resolve) => (this.slotFree = resolve));
        this.slotFree = undefined;
        this.lastRead = performance.now();
        continue;
      }
      try {
        if (performance.now() - this.clockReadAt > CLOCK_MS) await this.readClock();
        this.readerId ??= Number(await this.reader.run((client) => client.client('ID')));
        const reply = (await this.reader.run(
          (client) =>
            client.xreadgroup(
              'GROUP',
              SERVERS,
              'server',
              'COUNT',
              Math.min(free, 64),
              'BLOCK',
              BLOCK_MS,
              'NOACK',
              'STREAMS',
              this.key,
              '>',
            ),
          BLOCK_MS + 2_000,
        )) as unknown;
        this.lastRead = performance.now();
        for (const [id, fields] of entriesOf(reply)) this.take(id, fields);
      } catch (error) {
        this.readerId = null;
        if (!this.stopping) await this.recover(error);
      }
    }
  }

  /** A stream that is gone is made again at once: as long as it is missing, callers are told that no server is there. */
  private async recover(error: unknown): Promise<void> {
    if (!(error instanceof Error && /NOGROUP|UNBLOCKED/.test(error.message))) {
      this.options.log.warn(
        { service: this.options.service, error: String(error) },
        'Reading RPC questions failed; trying again',
      );
      await delay(50);
      await this.reader.ready(1_000).catch(() => undefined);
    }
    await this.createGroup().catch(() => undefined);
  }

  private async createGroup(): Promise<void> {
    try {
      // From the beginning: what waited too long is dropped by its deadline.
      await this.options.connection.run((client) => client.xgroup('CREATE', this.key, SERVERS, '0', 'MKSTREAM'));
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
    }
  }

  private async readClock(): Promise<void> {
    const before = performance.now();
    const [seconds, micros] = (await this.options.connection.run((client) => client.time())) as unknown as [
      string,
      string,
    ];
    const after = performance.now();
    this.clockOffset = Number(seconds) * 1_000 + Number(micros) / 1_000 - (before + after) / 2;
    this.clockReadAt = after;
  }

  private take(entryId: string, fields: readonly string[]): void {
    let question: WireQuestion;
    try {
      question = readQuestion(fields[fields.indexOf(QUESTION) + 1]!);
    } catch (error) {
      this.options.log.error(
        { service: this.options.service, entryId, error: String(error) },
        'An RPC question could not be read',
      );
      return;
    }
    const deadline = takenAt(entryId) + question.ms;
    const remainingMs = (): number => deadline - this.clockOffset - performance.now();
    if (remainingMs() <= 0) {
      this.options.observer.dropped?.(question.method, 'expired');
      return;
    }
    const id = `${question.reply} ${question.n}`;
    if (this.cancels.hasCancelled(id)) {
      this.options.observer.dropped?.(question.method, 'cancelled');
      return;
    }
    void this.work(id, question, remainingMs);
  }

  private async work(id: string, question: WireQuestion, remainingMs: () => number): Promise<void> {
    const running: Running = { question, abort: new AbortController(), cancelled: false };
    this.running.set(id, running);
    const from = performance.now();
    const timer = setTimeout(() => running.abort.abort(new Error('The deadline is over.')), remainingMs());
    let outcome = 'ok';
    let json: string;
    try {
      const value = await this.options.answer({
        method: question.method,
        data: question.data,
        correlationId: question.correlation,
        signal: running.abort.signal,
        remainingMs,
      });
      json = writeAnswer(value);
    } catch (error) {
      const failure = toWireError(error);
      outcome = failure.code;
      json = writeFailure(failure);
      if (failure.code === 'internal') {
        const { method, correlation } = question;
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.options.log.error({ method, correlation_id: correlation, error: detail }, 'An RPC handler failed');
      }
    } finally {
      clearTimeout(timer);
      this.running.delete(id);
      this.slotFree?.();
    }
    this.options.observer.answered?.(
      question.method,
      running.cancelled ? 'cancelled' : outcome,
      (performance.now() - from) / 1_000,
    );
    // Nobody waits for it any more.
    if (running.cancelled || running.abort.signal.aborted || remainingMs() <= 0) return;
    this.send(question.reply, question.n, json);
  }

  private send(reply: string, number: number, json: string): void {
    const batch = this.answers.get(reply);
    if (batch !== undefined) {
      batch.push(String(number), json);
      return;
    }
    this.answers.set(reply, [String(number), json]);
    if (this.answers.size === 1) setImmediate(() => void this.flush());
  }

  /** Sends the answers of this turn of the event loop: one entry for each caller. */
  private flush(): Promise<void> {
    const answers = this.answers;
    if (answers.size === 0) return this.flushing;
    this.answers = new Map();
    const sending = this.options.connection
      .run((client) => {
        const pipeline = client.pipeline();
        for (const [key, fields] of answers) {
          // Only the caller makes its stream: one made here would never expire.
          pipeline.xadd(key, 'NOMKSTREAM', 'MAXLEN', '~', MOST_REPLIES, '*', ...fields);
        }
        return pipeline.exec();
      })
      .then(
        () => undefined,
        (error: unknown) =>
          this.options.log.warn({ error: String(error) }, 'RPC answers could not be sent; their callers time out'),
      );
    this.flushing = Promise.all([this.flushing, sending]).then(() => undefined);
    return this.flushing;
  }

  private cancel(id: string): boolean {
    const running = this.running.get(id);
    if (running === undefined) return false;
    running.cancelled = true;
    running.abort.abort(new Error('The caller has given up.'));
    return true;
  }
}
