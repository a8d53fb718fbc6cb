import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { connectRedis } from '../connect-redis.js';
import { isLinkError, type RedisConnection } from '../redis-connection.js';
import { silentLog, type StreamsLog } from '../observer.js';
import { inOneWrite } from '../one-write.js';
import { RpcCancelledError, type RpcError, RpcTimeoutError, RpcUnavailableError } from './rpc-errors.js';
import { ReplyReader } from './reply-reader.js';
import {
  cancelChannel,
  MOST_REQUESTS,
  MOST_TOGETHER,
  QUESTION,
  readAnswer,
  replyKey,
  requestKey,
  type ReadAnswer,
  type WireQuestion,
} from './rpc-wire.js';

export interface RpcCallerOptions {
  /** The Redis of role cache: what is lost there is only asked again. The same for callers and servers. */
  readonly url: string;
  /** The calling service, for CLIENT LIST. */
  readonly name: string;
  /** Default deadline in ms. Default 5,000. */
  readonly deadlineMs?: number;
  /** The correlation id that a question carries. */
  readonly correlationId?: () => string | undefined;
  /** The W3C trace context that a question carries. */
  readonly traceparent?: () => string | null;
  readonly log?: StreamsLog;
}

export interface RpcCallOptions {
  /** Milliseconds until the call fails with RpcTimeoutError. */
  readonly deadlineMs?: number;
  /** Gives the question up: the call rejects with RpcCancelledError and the server is told. */
  readonly signal?: AbortSignal;
  readonly correlationId?: string;
}

interface Waiting {
  readonly service: string;
  readonly settle: (outcome: ReadAnswer | { error: RpcError }) => void;
}

/** A question that leaves at the end of this turn. */
interface Outgoing {
  readonly number: number;
  readonly json: string;
  readonly service: string;
}

/** Asks questions of other services; one for a process. Every call ends by its deadline, whatever is away. */
export class RpcCaller {
  private readonly replyKey = replyKey(randomUUID());
  private readonly connection: RedisConnection;
  private readonly replies: ReplyReader;
  private readonly waiting = new Map<number, Waiting>();
  private outgoing: Outgoing[] = [];
  private lastNumber = 0;
  private started: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly options: RpcCallerOptions) {
    const log = options.log ?? silentLog;
    this.connection = connectRedis(options.url, { name: `${options.name}:rpc`, role: 'streams', log });
    this.replies = new ReplyReader(this.connection, this.replyKey, log, (number, json) =>
      this.settle(number, readAnswer(json)),
    );
  }

  /** Opens the reply stream. Redis may be away: then calls fail at once until it is back. */
  async start(): Promise<void> {
    this.started ??= this.connection.ready().then(
      () => this.replies.start(),
      () => this.replies.start(),
    );
    await this.started;
  }

  /** Fails what is still waiting with RpcUnavailableError, and closes. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    for (const number of [...this.waiting.keys()])
      this.settle(number, { error: new RpcUnavailableError('The caller is stopping.') });
    await this.started?.catch(() => undefined);
    await this.replies.stop();
    await this.connection.close();
  }

  /** How many calls wait for their answer now. */
  get pending(): number {
    return this.waiting.size;
  }

  /** Stays the same until what was asked so far leaves: whoever finds it unchanged may share a question that was asked since. */
  get departure(): object {
    return this.outgoing;
  }

  get isReady(): boolean {
    return !this.stopped && this.connection.isReady;
  }

  /** @throws RpcError of the server's making, RpcTimeoutError, RpcUnavailableError, RpcCancelledError. */
  async call(service: string, method: string, data: unknown, options: RpcCallOptions = {}): Promise<unknown> {
    return (await this.ask(service, method, data, options)).value;
  }

  /** As `call`, for answers that are kept. @param known tag of the one that is kept; null: none */
  callAgain(
    service: string,
    method: string,
    data: unknown,
    known: string | null,
    options: RpcCallOptions = {},
  ): Promise<ReadAnswer> {
    return this.ask(service, method, data, options, known);
  }

  private async ask(
    service: string,
    method: string,
    data: unknown,
    options: RpcCallOptions,
    known?: string | null,
  ): Promise<ReadAnswer> {
    if (this.stopped) throw new RpcUnavailableError('The caller has stopped.');
    if (options.signal?.aborted) throw new RpcCancelledError(`${method} was cancelled before it was asked.`);
    const deadlineMs = options.deadlineMs ?? this.options.deadlineMs ?? 5_000;
    // A question asked before the reply stream stands would be answered into nowhere.
    if (this.started === undefined) void this.start();
    const question: WireQuestion = {
      n: ++this.lastNumber,
      method,
      reply: this.replyKey,
      ms: deadlineMs,
      correlation: options.correlationId ?? this.options.correlationId?.() ?? null,
      trace: this.options.traceparent?.() ?? null,
      ...(known === undefined ? {} : { known }),
      data,
    };
    // Here, so that data that cannot be written fails its own call only.
    const json = JSON.stringify(question);
    return new Promise<ReadAnswer>((resolve, reject) => {
      const expired = (): void =>
        this.settle(question.n, { error: new RpcTimeoutError(`${method} was not answered in ${deadlineMs} ms.`) });
      const timer = setTimeout(expired, deadlineMs);
      const cancelled = (): void => {
        this.tellCancelled(service, question.n);
        this.settle(question.n, { error: new RpcCancelledError(`${method} was cancelled.`) });
      };
      options.signal?.addEventListener('abort', cancelled, { once: true });
      this.waiting.set(question.n, {
        service,
        settle: (outcome) => {
          clearTimeout(timer);
          options.signal?.removeEventListener('abort', cancelled);
          if ('error' in outcome) reject(outcome.error);
          else resolve(outcome);
        },
      });
      this.outgoing.push({ number: question.n, json, service });
      if (this.outgoing.length === 1) setImmediate(() => void this.flush());
    });
  }

  /** Sends what was asked in this turn of the event loop: a few entries for each service. */
  private async flush(): Promise<void> {
    const entries: Outgoing[][] = [];
    const open = new Map<string, Outgoing[]>();
    for (const asked of this.outgoing) {
      if (!this.waiting.has(asked.number)) continue;
      let entry = open.get(asked.service);
      if (entry === undefined || entry.length === MOST_TOGETHER) {
        open.set(asked.service, (entry = []));
        entries.push(entry);
      }
      entry.push(asked);
    }
    this.outgoing = [];
    if (entries.length === 0) return;
    try {
      await this.connection.run((client) =>
        inOneWrite(client, () => {
          // First, so that the stream is there before any server can answer, even if Redis has just lost it.
          this.replies.keepAlive(client);
          return Promise.all(entries.map((entry) => this.sendEntry(client, entry)));
        }),
      );
    } catch (cause) {
      for (const { number } of entries.flat()) this.fail(number, 'Redis is away.', cause);
    }
  }

  private async sendEntry(client: Redis, entry: readonly Outgoing[]): Promise<void> {
    const { service } = entry[0]!;
    const fields: string[] = [];
    for (const { json } of entry) fields.push(QUESTION, json);
    try {
      const id = await client.xadd(requestKey(service), 'NOMKSTREAM', 'MAXLEN', '~', MOST_REQUESTS, '*', ...fields);
      // Servers make the stream; without it there has been none since this Redis began.
      if (id === null) for (const { number } of entry) this.fail(number, `No server of ${service} is there.`);
    } catch (cause) {
      if (isLinkError(cause)) throw cause;
      for (const { number } of entry)
        this.fail(number, `Redis refused the question: ${(cause as Error).message}`, cause);
    }
  }

  private fail(number: number, message: string, cause?: unknown): void {
    this.settle(number, { error: new RpcUnavailableError(message, { cause }) });
  }

  /** Late and second answers find nobody waiting and are dropped. */
  private settle(number: number, outcome: ReadAnswer | { error: RpcError }): void {
    const call = this.waiting.get(number);
    if (call === undefined) return;
    this.waiting.delete(number);
    call.settle(outcome);
  }

  private tellCancelled(service: string, number: number): void {
    // Best effort: without it the server works for nobody, until the deadline.
    this.connection
      .run((client) => client.publish(cancelChannel(service), `${this.replyKey} ${number}`))
      .catch(() => undefined);
  }
}
