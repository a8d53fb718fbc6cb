import type { Admission, AdmissionGate } from './admission.js';
import type { RedisConnection } from './connect-redis.js';
import type { Envelope } from './envelope.js';
import type { StreamsObserver } from './observer.js';
import type { Publisher } from './ports.js';

export interface RedisPublisherOptions {
  /** A connection of role `streams` of its own: publishing and everything else do not wait for each other. */
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

export class RedisPublisher implements Publisher {
  constructor(private readonly options: RedisPublisherOptions) {}

  /** The queue's admission as last sampled; costs nothing. `soft`: shed what can wait; `hard`: publish would throw. */
  admission(_queue: string): Admission {
    throw new Error('not yet');
  }

  publish(_queue: string, _envelopes: readonly Envelope[]): Promise<void> {
    throw new Error(`not yet: ${this.options.connection.name}`);
  }

  /** Waits for what is in flight. The connection stays open: it belongs to the caller. */
  async close(): Promise<void> {}
}
