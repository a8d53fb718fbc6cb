import type { Redis } from 'ioredis';
import type { Admission, AdmissionGate } from './admission.js';
import { isLinkError } from './connect-redis.js';
import type { RedisConnection } from './connect-redis.js';
import { toFields } from './entry-codec.js';
import type { Envelope } from './envelope.js';
import { AdmissionClosedError, DoubtfulPublishError } from './failures.js';
import type { StreamsObserver } from './observer.js';
import type { Publisher } from './ports.js';
import { GROUP, partitionOf, streamKey } from './stream-key.js';

export interface RedisPublisherOptions {
  /** Where the streams are. The publisher opens a sibling of its own, so that nothing else waits in its line. */
  readonly connection: RedisConnection;
  /** Number of partitions of a queue, by its name; default 1 for every queue. */
  readonly partitionsOf?: (queue: string) => number;
  /** ms until a publish without a durable answer is doubtful; default 2,000. */
  readonly timeoutMs?: number;
  /** Without it everything is admitted. The publisher reads its last sample only; start and stop it yourself. */
  readonly admission?: AdmissionGate;
  /** Replicas that must have the entry too (WAIT) before publish resolves; default 0. */
  readonly replicas?: number;
  readonly observer?: StreamsObserver;
}

const OPEN: Admission = { level: 'open', retryAfterSeconds: 0, reason: '' };

/** One publish call that waits for its answers. */
interface Pending {
  readonly deadline: number;
  readonly client: Redis;
  readonly reject: (error: Error) => void;
  settled: boolean;
}

/**
 * Appends messages with `XADD NOMKSTREAM` and resolves when Redis has answered, which with `appendfsync always` means
 * that the entry is on the disk.
 *
 * It is the hot path of the gateway, hence: no key is built twice, the calls of one turn of the event loop leave in one
 * write (the socket is corked until its end), one timer watches the oldest call instead of one timer each, and admission
 * is a property read.
 *
 * Error branches: NIL → stream and group are gone (FLUSHALL, DEL): the group is created at 0, counted, and the entry
 * added again. OOM or a failed disk (MISCONF) → nothing was kept: AdmissionClosedError `hard`. No answer in time, or the
 * link broke → DoubtfulPublishError: the entry may have been kept; who publishes it again with the same id does no harm.
 */
export class RedisPublisher implements Publisher {
  private readonly connection: RedisConnection;
  private readonly timeoutMs: number;
  private readonly keys = new Map<string, string[]>();
  /** In the order of their deadlines. */
  private pending: Pending[] = [];
  private wasReady = false;
  private watchdog: NodeJS.Timeout | null = null;
  private corked: Corkable | null = null;
  private readonly waiters = new Set<() => void>();

  constructor(private readonly options: RedisPublisherOptions) {
    this.timeoutMs = options.timeoutMs ?? 2_000;
    this.connection = options.connection.sibling({
      name: `${options.connection.name}:publish`,
      role: 'streams',
      // The watchdog below bounds every call: a timer a command costs a tenth of the hot path.
      commandTimeoutMs: 0,
    });
  }

  /** Resolves when messages can be sent. @throws RedisUnavailableError after `timeoutMs` (default 10,000). */
  ready(timeoutMs?: number): Promise<void> {
    return this.connection.ready(timeoutMs);
  }

  get isReady(): boolean {
    return this.connection.isReady;
  }

  /** The queue's admission as last sampled; costs nothing. `soft`: shed what can wait; `hard`: publish would throw. */
  admission(queue: string): Admission {
    return this.options.admission === undefined ? OPEN : this.options.admission.of(queue);
  }

  publish(queue: string, envelopes: readonly Envelope[]): Promise<void> {
    const admission = this.admission(queue);
    if (admission.level === 'hard') {
      return Promise.reject(
        new AdmissionClosedError('hard', admission.retryAfterSeconds, `${queue} is closed: ${admission.reason}`),
      );
    }
    if (envelopes.length === 0) return Promise.resolve();
    if (!this.wasReady) return this.whenFirstReady().then(() => this.publish(queue, envelopes));
    return new Promise<void>((resolve, reject) => {
      const client = this.connection.client;
      const call: Pending = { deadline: Date.now() + this.timeoutMs, client, reject, settled: false };
      this.watch(call);
      this.cork(client);
      const work =
        envelopes.length === 1 ? this.one(client, queue, envelopes[0]!) : this.many(client, queue, envelopes);
      work.then(
        () => {
          if (call.settled) return;
          call.settled = true;
          this.options.observer?.published?.(queue, envelopes.length);
          resolve();
        },
        (error: unknown) => {
          if (call.settled) return;
          call.settled = true;
          reject(translate(error, queue));
        },
      );
    });
  }

  /** Only the first connection is waited for: later, a link that is down fails at once and callers do not pile up. */
  private async whenFirstReady(): Promise<void> {
    try {
      await this.connection.ready(this.timeoutMs);
      this.wasReady = true;
    } catch (cause) {
      throw new DoubtfulPublishError('Redis has never answered yet; nothing was sent.', { cause });
    }
  }

  /** Waits for what is in flight (each call is bounded), then closes its own link. */
  async close(): Promise<void> {
    while (this.pending.some((call) => !call.settled)) {
      await new Promise<void>((resolve) => {
        this.waiters.add(resolve);
      });
    }
    if (this.watchdog !== null) clearInterval(this.watchdog);
    this.watchdog = null;
    await this.connection.close();
  }

  private async one(client: Redis, queue: string, envelope: Envelope): Promise<void> {
    const key = this.keyOf(queue, envelope.key);
    const [factsName, facts, bodyName, body] = toFields(envelope);
    const id = await client.xadd(key, 'NOMKSTREAM', '*', factsName, facts, bodyName, body);
    if (id === null) await this.addAgain(client, queue, [envelope]);
    if (this.options.replicas) await this.waitForReplicas(client);
  }

  private async many(client: Redis, queue: string, envelopes: readonly Envelope[]): Promise<void> {
    const ids = await Promise.all(
      envelopes.map((envelope) =>
        client.xadd(this.keyOf(queue, envelope.key), 'NOMKSTREAM', '*', ...toFields(envelope)),
      ),
    );
    const missing = envelopes.filter((_, i) => ids[i] === null);
    if (missing.length > 0) await this.addAgain(client, queue, missing);
    if (this.options.replicas) await this.waitForReplicas(client);
  }

  /** NIL was the answer: nothing of these was kept. Bounded: somebody may be deleting the stream again and again. */
  private async addAgain(client: Redis, queue: string, envelopes: readonly Envelope[]): Promise<void> {
    for (const envelope of envelopes) {
      const key = this.keyOf(queue, envelope.key);
      let id: string | null = null;
      for (let attempt = 0; attempt < 5 && id === null; attempt++) {
        await this.createGroup(client, queue, key);
        id = await client.xadd(key, 'NOMKSTREAM', '*', ...toFields(envelope));
      }
      if (id === null) throw new DoubtfulPublishError(`The stream ${key} vanishes as soon as it is created.`);
    }
  }

  private async createGroup(client: Redis, queue: string, key: string): Promise<void> {
    try {
      await client.xgroup('CREATE', key, GROUP, '0', 'MKSTREAM');
      this.options.observer?.groupCreated?.(queue, this.keysOf(queue).indexOf(key), 'publisher');
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('BUSYGROUP')) throw error;
    }
  }

  private async waitForReplicas(client: Redis): Promise<void> {
    const wanted = this.options.replicas!;
    const reached = await client.wait(wanted, this.timeoutMs);
    if (reached < wanted) throw new DoubtfulPublishError(`Only ${reached} of ${wanted} replicas have the entry.`);
  }

  private keyOf(queue: string, key: string): string {
    const keys = this.keysOf(queue);
    return keys.length === 1 ? keys[0]! : keys[partitionOf(key, keys.length)]!;
  }

  private keysOf(queue: string): string[] {
    let keys = this.keys.get(queue);
    if (keys === undefined) {
      const partitions = Math.max(1, this.options.partitionsOf?.(queue) ?? 1);
      keys = Array.from({ length: partitions }, (_, partition) => streamKey(queue, partition));
      this.keys.set(queue, keys);
    }
    return keys;
  }

  /** Gathers the writes of this turn of the event loop: one system call instead of one a message. */
  private cork(client: Redis): void {
    if (this.corked !== null) return;
    const stream = (client as unknown as { stream?: Corkable }).stream;
    if (stream === undefined || typeof stream.cork !== 'function') return;
    this.corked = stream;
    stream.cork();
    setImmediate(() => {
      this.corked = null;
      stream.uncork();
    });
  }

  private watch(call: Pending): void {
    this.pending.push(call);
    this.watchdog ??= setInterval(() => this.sweep(), Math.min(250, this.timeoutMs / 4));
  }

  /**
   * Drops what is settled, rejects what is late; a late call condemns the client it was sent on. The judgement waits for
   * the end of this turn of the event loop: when the whole process stood still, its answers are only about to be read.
   */
  private sweep(): void {
    const now = Date.now();
    if (this.pending.some((call) => !call.settled && call.deadline <= now)) setImmediate(() => this.expire(now));
    this.pending = this.pending.filter((call) => !call.settled);
    if (this.pending.length === 0) {
      clearInterval(this.watchdog!);
      this.watchdog = null;
    }
    for (const wake of this.waiters) wake();
    this.waiters.clear();
  }

  private expire(now: number): void {
    for (const call of this.pending) {
      if (call.deadline > now) break;
      if (call.settled) continue;
      call.settled = true;
      if (call.client === this.connection.client) this.connection.replace(`no reply in ${this.timeoutMs} ms`);
      call.reject(new DoubtfulPublishError(`Redis gave no durable answer in ${this.timeoutMs} ms.`));
    }
  }
}

interface Corkable {
  cork(): void;
  uncork(): void;
}

function translate(error: unknown, queue: string): Error {
  if (error instanceof DoubtfulPublishError || error instanceof AdmissionClosedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (/^(OOM|MISCONF)/.test(message)) {
    return new AdmissionClosedError(
      'hard',
      5 + Math.floor(Math.random() * 10),
      `Redis keeps nothing for ${queue}: ${message}`,
    );
  }
  const sent = isLinkError(error) ? 'The link to Redis broke' : 'Redis refused';
  return new DoubtfulPublishError(`${sent} while ${queue} was published to: ${message}`, { cause: error });
}
