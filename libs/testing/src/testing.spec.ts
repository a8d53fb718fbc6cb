import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { eventually, testDatabase, testRedis } from './index.js';
import type { TestDatabase, TestRedis } from './index.js';

class CreateThings1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE thing (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY)');
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE thing');
  }
}

describe('testDatabase', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase({ schema: 'sample', migrations: [CreateThings1700000000000] });
  });
  afterAll(() => database.drop());

  it('applies the migrations inside the schema of the service', async () => {
    const rows: unknown = await database.dataSource.query(
      "SELECT table_schema FROM information_schema.tables WHERE table_name = 'thing'",
    );
    expect(rows).toEqual([{ table_schema: 'sample' }]);
    await expect(database.dataSource.query('SELECT * FROM thing')).resolves.toEqual([]);
  });
});

describe('testRedis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(() => redis.stop());

  it('keeps an acknowledged write over kill -9', async () => {
    const before = new Redis(redis.url, { retryStrategy: () => null });
    before.on('error', () => undefined);
    await before.set('kept', 'yes');
    await redis.kill9();
    before.disconnect();
    await redis.restart();
    const after = new Redis(redis.url);
    await expect(after.get('kept')).resolves.toBe('yes');
    after.disconnect();
  });
});

describe('eventually', () => {
  it('returns the first answer that is there', async () => {
    let tries = 0;
    await expect(eventually(() => (++tries < 3 ? null : tries), { everyMs: 1 })).resolves.toBe(3);
  });

  it('fails on time-out and names what it waited for and the last thing seen', async () => {
    const waiting = eventually(
      () => {
        throw new Error('still queued');
      },
      { timeoutMs: 20, everyMs: 5, what: 'the push to be applied' },
    );
    await expect(waiting).rejects.toThrow('Waited 20 ms for the push to be applied; last seen: still queued');
  });
});
