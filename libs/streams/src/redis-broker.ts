import type { Broker, StreamLane } from './broker.js';
import type { RedisConnection } from './connect-redis.js';
import type { Envelope } from './envelope.js';
import type { StreamsObserver } from './observer.js';
import type { RedisPublisher } from './redis-publisher.js';

export interface RedisBrokerOptions {
  /** Where the streams are; lanes open siblings of it: one that blocks and one for commands a lane. */
  readonly connection: RedisConnection;
  readonly publisher: RedisPublisher;
  readonly observer?: StreamsObserver;
}

/** Queues on Redis Streams. */
export class RedisBroker implements Broker {
  constructor(private readonly options: RedisBrokerOptions) {}

  publish(queue: string, envelopes: readonly Envelope[]): Promise<void> {
    return this.options.publisher.publish(queue, envelopes);
  }

  open(_queue: string, _partition: number, _consumer: string): StreamLane {
    throw new Error('not yet');
  }

  async close(): Promise<void> {}
}
