import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { QUEUES } from '#libs/contracts';
import { connectRedis, RedisPublisher, streamKey, type Envelope, type RedisConnection } from '#libs/streams';
import { testRedis, type TestRedis } from '#libs/testing';
import { Platform, platformAddresses } from './platform.js';
import { sampleQueues, withRates, type QueueSample } from './queue-figures.js';
import { duration, figuresTable } from './streams-command.js';

const sample = (changes: Partial<QueueSample> = {}): QueueSample => ({
  queue: 'ingest.pushes',
  service: 'ingest',
  backlog: 0,
  oldest_age_seconds: 0,
  pending: 0,
  waiting: 0,
  dead: 0,
  outbox: 0,
  added: 0,
  partitions: 1,
  ...changes,
});

describe('rates of a queue', () => {
  it('count what came, and as gone what came and is not there', () => {
    const [queue] = withRates([sample({ added: 300, backlog: 40 })], [sample({ added: 100, backlog: 20 })], 10);
    expect(queue).toMatchObject({ rate_in: 20, rate_out: 18 });
  });

  it('are unknown without an earlier look, and when the stream was made anew', () => {
    expect(withRates([sample()], null, 2)[0]).toMatchObject({ rate_in: null, rate_out: null });
    expect(withRates([sample({ added: 3 })], [sample({ added: 9 })], 2)[0]).toMatchObject({ rate_in: null });
  });

  it('stand in a table, with a question mark for what could not be asked', () => {
    const text = figuresTable(
      withRates([sample({ backlog: 3, oldest_age_seconds: 7_300, dead: null, added: 5 })], null, 2),
    );
    expect(text).toMatch(/ingest\.pushes +\| 3 +\| 2\.0 h +\| 0 +\| 0 +\| \? +\| 0 +\| – +\| – +\|/);
    expect([5, 119, 3_600, 90_000, 600_000].map(duration)).toEqual(['5 s', '119 s', '60 min', '25.0 h', '6.9 d']);
  });
});

describe('where a platform is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'patchwatch-access-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('says the environment first, then the data folder', () => {
    writeFileSync(
      join(folder, 'access.json'),
      JSON.stringify({ databases: { ingest: 'postgres://folder/ingest' }, streams: 'redis://folder', partitions: 4 }),
    );
    const found = platformAddresses(folder, { PATCHWATCH_CATALOG_DATABASE_URL: 'postgres://environment/catalog' });
    expect([found.databaseUrl('ingest'), found.databaseUrl('catalog'), found.databaseUrl('gateway')]).toEqual([
      'postgres://folder/ingest',
      'postgres://environment/catalog',
      null,
    ]);
    expect(found).toMatchObject({ streamsUrl: 'redis://folder', partitions: 4 });
    expect(
      platformAddresses(folder, { PATCHWATCH_STREAMS_URL: 'redis://given', PATCHWATCH_PARTITIONS: '2' }),
    ).toMatchObject({
      streamsUrl: 'redis://given',
      partitions: 2,
    });
  });

  it('is asked for when nobody says it', async () => {
    const platform = new Platform(platformAddresses(join(folder, 'missing'), {}));
    await expect(platform.streams()).rejects.toMatchObject({ code: 'no_streams' });
    await expect(platform.use('ingest', () => Promise.resolve(1))).rejects.toMatchObject({ code: 'no_database' });
  });

  it('is named without its password when it does not answer', async () => {
    const away = 'postgres://someone:secret@127.0.0.1:1/nowhere';
    const platform = new Platform(platformAddresses(join(folder, 'missing'), { PATCHWATCH_DATABASE_URL: away }));
    const problem = await platform.use('ingest', () => Promise.resolve(1)).catch((error: unknown) => error as Error);
    expect(problem).toMatchObject({ code: 'database_unreachable' });
    expect((problem as Error).message).toContain('someone@127.0.0.1:1');
    expect((problem as Error).message).not.toContain('secret');
  });
});

describe('the queues as they are', () => {
  let redis: TestRedis;
  let connection: RedisConnection;

  beforeAll(async () => {
    redis = await testRedis();
    connection = connectRedis(redis.url, { name: 'spec', role: 'streams' });
    await connection.ready();
  });
  afterAll(async () => {
    await connection?.close();
    await redis?.stop();
  });

  it('are shown with all partitions together, also those beyond the number set, and without a database', async () => {
    const publisher = new RedisPublisher({ connection, partitionsOf: () => 3 });
    await publisher.publish(
      QUEUES.ingestPushes.name,
      Array.from({ length: 30 }, (_, i) => envelope(`key-${i}`)),
    );
    const key = streamKey(QUEUES.ingestPushes.name, 2);
    await connection.client.xreadgroup('GROUP', 'workers', 'somebody', 'COUNT', 1, 'STREAMS', key, '>');
    const platform = new Platform(
      platformAddresses('/nowhere', { PATCHWATCH_STREAMS_URL: redis.url, PATCHWATCH_PARTITIONS: '1' }),
    );
    const troubles: unknown[] = [];
    const queues = await sampleQueues(platform, (error) => troubles.push(error));
    await platform.close();
    expect(queues).toHaveLength(Object.keys(QUEUES).length);
    expect(queues.find(({ queue }) => queue === 'ingest.pushes')).toMatchObject({
      service: 'ingest',
      backlog: 30,
      added: 30,
      pending: 1,
      partitions: 3,
      dead: null,
      outbox: null,
    });
    expect(queues.find(({ queue }) => queue === 'notifier.identity')).toMatchObject({
      backlog: 0,
      added: 0,
      partitions: 1,
    });
    expect(troubles).toHaveLength(2);
  });
});

function envelope(key: string): Envelope {
  return {
    id: key,
    type: 'gateway.push-received',
    version: 1,
    organizationId: 1,
    key,
    occurredAt: '2026-01-01T00:00:00Z',
    correlationId: 'c',
    causationId: null,
    traceparent: null,
    contentHash: null,
    contentEncoding: 'identity',
    meta: null,
    body: Buffer.from('{}'),
  };
}
