import type { Broker, StreamLane } from './broker.js';
import type { RedisConnection } from './redis-connection.js';
import type { Envelope } from './envelope.js';
import type { StreamsLog, StreamsObserver } from './observer.js';
import type { Publisher } from './ports.js';
import { RedisLane } from './redis-lane.js';

export interface RedisBrokerOptions {
  /** Where the streams are, of role `streams`: the lanes' short commands share it; each opens one more link to block on. */
  readonly connection: RedisConnection;
  readonly publisher: Publisher;
  readonly observer?: StreamsObserver;
  readonly log?: StreamsLog;
}

/** Queues on Redis Streams. It closes what it opened: not the connection, not the publisher. */
export class RedisBroker implements Broker {
  constructor(private readonly options: RedisBrokerOptions) {}

  publish(queue: string, envelopes: readonly Envelope[]): Promise<void> {
    return this.options.publisher.publish(queue, envelopes);
  }

  open(queue: string, partition: number, consumer: string): StreamLane {
    const { connection, observer, log } = this.options;
    return new RedisLane({
      queue,
      partition,
      consumer,
      commands: connection,
      reader: connection.sibling({
        name: `${connection.name}:${queue}.${partition}`,
        role: 'blocking',
        onReplaced: (reason) => observer?.clientReplaced?.(`${queue}.${partition}`, reason),
      }),
      observer,
      log,
    });
  }
}
