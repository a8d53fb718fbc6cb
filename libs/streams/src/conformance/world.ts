import type { Redis } from 'ioredis';
import type { Broker } from '../broker.js';
import type { ConsumerSettings, ConsumerTime } from '../consumer-settings.js';
import { realTime } from '../consumer-settings.js';
import { connectRedis } from '../connect-redis.js';
import { FakeTime } from '../fake-time.js';
import { InMemoryBroker } from '../in-memory-broker.js';
import type { StreamsObserver } from '../observer.js';
import { RedisBroker } from '../redis-broker.js';
import { RedisPublisher } from '../redis-publisher.js';
import { GROUP, streamKey } from '../stream-key.js';

/** One backend under test, with a view behind the broker's back. */
export interface World {
  readonly broker: Broker;
  readonly time: ConsumerTime;
  /** Passes `ms` on the world's clock. */
  pass(ms: number): Promise<void>;
  /** Adds an entry that no publisher of ours would. */
  addRaw(queue: string, fields: readonly (string | Buffer)[]): Promise<void>;
  length(queue: string): Promise<number>;
  pending(queue: string): Promise<{ owner: string; deliveries: number }[]>;
  consumers(queue: string): Promise<string[]>;
  destroyGroup(queue: string): Promise<void>;
  deleteStream(queue: string): Promise<void>;
  close(): Promise<void>;
}

export const PARTITIONS: Record<string, number> = { 'test.spread': 4 };

/** Short times, the same for both worlds, in ms. */
export const FAST: Partial<ConsumerSettings> = {
  waitMs: 40,
  leaseMs: 240,
  retryMs: 20,
  laterMs: 60,
  maxDelayMs: 400,
  maintenanceMs: 30,
  depthMs: 50,
  forgetMs: 200,
  pauseMs: 5,
  maxPauseMs: 20,
  patience: 3,
  breakerLimit: 10,
  probeMs: 30,
};

export async function inMemoryWorld(seed = 1): Promise<World> {
  const time = new FakeTime({ seed });
  const broker = new InMemoryBroker({ time, partitionsOf: (queue) => PARTITIONS[queue] ?? 1 });
  return {
    broker,
    time,
    pass: (ms) => time.advance(ms),
    addRaw: async (queue, fields) => {
      broker.stream(queue).add(fields.map((field) => Buffer.from(field as string)));
    },
    length: async (queue) => partitions(queue).reduce((sum, p) => sum + broker.stream(queue, p).length, 0),
    pending: async (queue) => broker.stream(queue).pendingRows.map(({ owner, deliveries }) => ({ owner, deliveries })),
    consumers: async (queue) => broker.stream(queue).consumers,
    destroyGroup: async (queue) => broker.stream(queue).destroyGroup(),
    deleteStream: async (queue) => broker.stream(queue).delete(),
    close: async () => undefined,
  };
}

/** For what is published without a fault: a busy disk may keep a server from answering for seconds. */
const PATIENCE_MS = 10_000;

/** Each world empties the server (all of them, in a cluster): one at a time. */
export async function redisWorld(
  url: string,
  observer: StreamsObserver = {},
  publishing: { readonly replicas?: number; readonly timeoutMs?: number } = {},
): Promise<World> {
  const connection = connectRedis(url, { name: 'conformance', role: 'streams' });
  await connection.ready();
  await Promise.all(connection.nodes().map((node) => node.run((client) => client.flushall())));
  const partitionsOf = (queue: string): number => PARTITIONS[queue] ?? 1;
  const publisher = new RedisPublisher({ connection, partitionsOf, observer, timeoutMs: PATIENCE_MS, ...publishing });
  await publisher.ready();
  const on = <T>(queue: string, command: (client: Redis, key: string) => Promise<T>, partition = 0): Promise<T> => {
    const key = streamKey(queue, partition);
    return connection.runOn(key, (client) => command(client, key));
  };
  return {
    broker: new RedisBroker({ connection, publisher, observer }),
    time: realTime,
    pass: (ms) => realTime.sleep(ms),
    addRaw: async (queue, fields) => {
      await on(queue, (client, key) => client.xadd(key, '*', ...(fields as string[])));
    },
    length: async (queue) => {
      // The server may just have been killed and started again: a test looks at what it holds once it can be asked.
      await connection.ready();
      const lengths = await Promise.all(partitions(queue).map((p) => on(queue, (client, key) => client.xlen(key), p)));
      return lengths.reduce((sum, length) => sum + length, 0);
    },
    pending: async (queue) => {
      const pages = await Promise.all(
        partitions(queue).map((p) => on(queue, (client, key) => client.xpending(key, GROUP, '-', '+', 1_000), p)),
      );
      return (pages as unknown[][][]).flat().map((row) => ({ owner: String(row[1]), deliveries: Number(row[3]) }));
    },
    consumers: async (queue) => {
      const rows = (await on(queue, (client, key) => client.xinfo('CONSUMERS', key, GROUP))) as unknown[][];
      return rows.map((row) => String(row[1]));
    },
    destroyGroup: async (queue) => {
      await on(queue, (client, key) => client.xgroup('DESTROY', key, GROUP));
    },
    deleteStream: async (queue) => {
      await on(queue, (client, key) => client.del(key));
    },
    close: async () => {
      await publisher.close();
      await connection.close();
    },
  };
}

function partitions(queue: string): number[] {
  return Array.from({ length: PARTITIONS[queue] ?? 1 }, (_, partition) => partition);
}
