import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testRedis } from '#libs/testing';
import type { TestRedis } from '#libs/testing';
import { RedisAdmission, memoryShare } from '../admission.js';
import { connectRedis } from '../connect-redis.js';
import type { RedisConnection } from '../redis-connection.js';
import { assertDurableStreams, LossyStreamsError } from '../durable-streams.js';
import { AdmissionClosedError } from '../failures.js';
import { readDepth } from '../redis-depth.js';
import { RedisPublisher } from '../redis-publisher.js';
import { GROUP, streamKey } from '../stream-key.js';
import { QUEUE, thing, things } from './stage.js';

describe('Publishing', () => {
  let redis: TestRedis;
  let connection: RedisConnection;

  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(async () => {
    await redis.stop();
  });
  beforeEach(async () => {
    connection = connectRedis(redis.url, { name: 'publishing', role: 'streams' });
    await connection.ready();
    await connection.client.flushall();
    await connection.client.config('SET', 'maxmemory', '0', 'appendfsync', 'always', 'maxmemory-policy', 'noeviction');
  });
  afterEach(async () => {
    await connection.close();
  });

  it('creates stream and group when they are gone, adds again in order, and tells a first start from a loss', async () => {
    const created: string[] = [];
    const publisher = new RedisPublisher({
      connection,
      observer: {
        groupCreated: (queue, partition, by, cause) => created.push(`${queue}.${partition} by ${by}: ${cause}`),
      },
    });
    await publisher.ready();
    await publisher.publish(QUEUE, things(1, 3));
    await connection.client.flushall();
    await publisher.publish(QUEUE, things(4, 6));
    await publisher.publish(QUEUE, [thing(7)]);
    expect(created).toEqual([`${QUEUE}.0 by publisher: first`, `${QUEUE}.0 by publisher: stream_lost`]);
    const key = streamKey(QUEUE, 0);
    const entries = await connection.client.xrange(key, '-', '+');
    expect(entries.map(([, fields]) => (JSON.parse(fields[1]!) as { id: string }).id)).toEqual(
      [4, 5, 6, 7].map((n) => `message-${n}`),
    );
    expect(entries[0]![1][2]).toBe('body');
    const [group] = (await connection.client.xinfo('GROUPS', key)) as unknown[][];
    expect(group![1]).toBe(GROUP);
    expect(group!.includes('0-0')).toBe(true);
    await publisher.close();
  });

  it('many calls at once are all kept', async () => {
    const publisher = new RedisPublisher({ connection, partitionsOf: () => 4 });
    await publisher.ready();
    await Promise.all(things(1, 500).map((message) => publisher.publish(QUEUE, [message])));
    const lengths = await Promise.all([0, 1, 2, 3].map((p) => connection.client.xlen(streamKey(QUEUE, p))));
    expect(lengths.reduce((a, b) => a + b)).toBe(500);
    expect(Math.min(...lengths)).toBeGreaterThan(80);
    await publisher.close();
  });

  it('a full Redis closes admission: nothing was kept and the error says so', async () => {
    const publisher = new RedisPublisher({ connection });
    await publisher.ready();
    await publisher.publish(QUEUE, [thing(1)]);
    await connection.client.config('SET', 'maxmemory', '1');
    const error = await publisher.publish(QUEUE, [thing(2)]).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AdmissionClosedError);
    expect(error).toMatchObject({ level: 'hard' });
    await connection.client.config('SET', 'maxmemory', '0');
    expect(await connection.client.xlen(streamKey(QUEUE, 0))).toBe(1);
    await publisher.publish(QUEUE, [thing(3)]);
    await publisher.close();
  });

  it('admission closes softly, then hard, by bytes, and opens again when the queue is drained', async () => {
    const queues = [{ name: QUEUE, partitions: 1 }];
    const levels: string[] = [];
    const limits = { bytes: { soft: 100_000, hard: 200_000 } };
    const observer = { admission: (_queue: string, level: string) => levels.push(level) };
    const admission = new RedisAdmission({ connection, queues, limits, observer });
    const publisher = new RedisPublisher({ connection, admission });
    await publisher.ready();
    await admission.sample();
    expect(publisher.admission(QUEUE).level).toBe('open');
    const fill = async (): Promise<void> => {
      await publisher.publish(QUEUE, [thing(1, { body: Buffer.alloc(130_000, 1) })]);
      await admission.sample();
    };
    await fill();
    expect(publisher.admission(QUEUE)).toMatchObject({ level: 'soft' });
    expect(publisher.admission(QUEUE).retryAfterSeconds).toBeGreaterThan(0);
    await fill();
    await expect(fill()).rejects.toMatchObject({ level: 'hard', message: expect.stringContaining('bytes') });
    await connection.client.xtrim(streamKey(QUEUE, 0), 'MAXLEN', 0);
    await admission.sample();
    expect(levels).toEqual(['soft', 'hard', 'open']);
    await publisher.close();
  });

  it('admission closes by the share of memory and by the age of what nobody has read', async () => {
    const queues = [{ name: QUEUE, partitions: 1 }];
    const publisher = new RedisPublisher({ connection });
    await publisher.ready();
    const aged = new RedisAdmission({ connection, queues, limits: { headAgeMs: { soft: -1, hard: 1e12 } } });
    await connection.client.xgroup('CREATE', streamKey(QUEUE, 0), GROUP, '0', 'MKSTREAM');
    await publisher.publish(QUEUE, [thing(1)]);
    await aged.sample();
    expect(aged.of(QUEUE)).toMatchObject({ level: 'soft', reason: expect.stringContaining('headAgeMs') });
    await connection.client.config('SET', 'maxmemory', '1000');
    const memory = new RedisAdmission({ connection, queues });
    await memory.sample();
    expect(memory.of(QUEUE)).toMatchObject({ level: 'hard', reason: expect.stringContaining('memory') });
    expect(memoryShare('used_memory:50\r\nmaxmemory:200\r\n')).toBe(0.25);
    expect(memoryShare('used_memory:50\r\nmaxmemory:0\r\n')).toBe(0);
    await publisher.close();
  });

  it('depth tells length, pending, waiting and the age of the oldest', async () => {
    const publisher = new RedisPublisher({ connection });
    await publisher.ready();
    const key = streamKey(QUEUE, 0);
    expect(await readDepth(connection, key)).toMatchObject({ length: 0, pending: 0, bytes: 0 });
    await publisher.publish(QUEUE, things(1, 4));
    await connection.client.xreadgroup('GROUP', GROUP, 'me', 'COUNT', 2, 'STREAMS', key, '>');
    const depth = await readDepth(connection, key);
    expect(depth).toMatchObject({ length: 4, pending: 2, waiting: 0 });
    expect(depth.bytes).toBeGreaterThan(100);
    await publisher.close();
  });

  it('a Redis that may lose acknowledged writes is refused, unless allowed', async () => {
    expect(await assertDurableStreams(connection)).toEqual([]);
    await connection.client.config('SET', 'appendfsync', 'everysec', 'maxmemory-policy', 'allkeys-lru');
    await expect(assertDurableStreams(connection)).rejects.toBeInstanceOf(LossyStreamsError);
    const faults = await assertDurableStreams(connection, { allowLossy: true });
    expect(faults).toEqual([
      'appendfsync is everysec, it must be always',
      'maxmemory-policy is allkeys-lru, it must be noeviction',
    ]);
  });
});
