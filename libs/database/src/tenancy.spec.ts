import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { DataSource, EntityManager, MigrationInterface, QueryRunner } from 'typeorm';
import { dropRoles, emptyDatabase } from '#libs/testing';
import { createDataSource } from './data-source.js';
import { prepareDatabase, urlForRole } from './prepare-database.js';
import { prepared } from './prepared.js';
import { asSomebody, asSystem, asTenant, nowActsFor } from './tenancy.js';
import { TypeOrmUnitOfWork } from './unit-of-work.js';

class Gadgets1700000000000 implements MigrationInterface {
  name = 'Gadgets1700000000000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE gadgets (id int PRIMARY KEY, organization_id integer, site_id integer);
      CREATE TABLE api_keys (id int PRIMARY KEY, organization_id integer, site_id integer);
      CREATE TABLE weather (id int PRIMARY KEY);
      CREATE TABLE plans (id int PRIMARY KEY, name text);
      INSERT INTO plans VALUES (1, 'free');
    `);
  }
  async down(): Promise<void> {
    throw new Error('There is no way back');
  }
}

/** Tenants 1 and 2 with two rows each, and one row of nobody. */
describe.each([
  ['one statement after the other', false],
  ['statements sent in one go', true],
])('tenancy on a pool of one connection, %s', (_, pipeline) => {
  const service = {
    schema: 'spec',
    role: `spec_tenancy_${randomBytes(4).toString('hex')}`,
    password: 'a-password-of-the-spec',
    entities: [],
    migrations: [Gadgets1700000000000],
  };
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let dataSource: DataSource;
  let unitOfWork: TypeOrmUnitOfWork;
  const first = <T>(work: () => T): T => asTenant({ organization_ids: [1] }, work);
  const second = <T>(work: () => T): T => asTenant({ organization_ids: [2] }, work);
  const seen = async (tx: Pick<EntityManager, 'query'> = dataSource): Promise<number[]> =>
    (await tx.query('SELECT id FROM gadgets ORDER BY id')).map(({ id }: { id: number }) => id);

  beforeAll(async () => {
    database = await emptyDatabase();
    await prepareDatabase({ adminUrl: database.url, services: [service] });
    dataSource = createDataSource({
      url: urlForRole(database.url, service.role, service.password),
      schema: 'spec',
      entities: [],
      migrations: [],
      applicationName: 'spec',
      poolSize: 1,
      // Hundreds wait for the one, on a machine that is busy.
      connectTimeoutMs: 60_000,
      pipeline,
    });
    await dataSource.initialize();
    unitOfWork = new TypeOrmUnitOfWork(dataSource);
  });
  beforeEach(() =>
    asSystem(async () => {
      await dataSource.query('DELETE FROM gadgets');
      await dataSource.query(
        'INSERT INTO gadgets VALUES (11, 1, 101), (12, 1, 102), (21, 2, 201), (22, 2, 202), (99, NULL, NULL)',
      );
    }),
  );
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
    await dropRoles([service.role]);
  });

  it('S54 shows nobody a row, each tenant her own, and the platform all', async () => {
    expect(await seen()).toEqual([]);
    expect(await first(seen)).toEqual([11, 12]);
    expect(await second(seen)).toEqual([21, 22]);
    expect(await asTenant({ organization_ids: [1, 2] }, seen)).toEqual([11, 12, 21, 22]);
    expect(await asTenant({ organization_ids: [] }, seen)).toEqual([]);
    expect(await asTenant({ organization_ids: null }, seen)).toEqual([11, 12, 21, 22, 99]);
    expect(await asSystem(seen)).toEqual([11, 12, 21, 22, 99]);
  });

  it('S54 leaves nothing behind on the connection, after success, failure and transactions', async () => {
    await first(seen);
    expect(await seen()).toEqual([]);
    await expect(first(() => dataSource.query('SELECT 1/0'))).rejects.toThrow('division by zero');
    expect(await seen()).toEqual([]);
    await first(() => unitOfWork.run((tx) => seen(tx)));
    expect(await seen()).toEqual([]);
    await expect(first(() => unitOfWork.run((tx) => tx.query('SELECT 1/0')))).rejects.toThrow('division by zero');
    expect(await seen()).toEqual([]);
    expect(await second(seen)).toEqual([21, 22]);
  });

  it('S54 keeps two tenants apart who take turns on the connection, a hundred times', async () => {
    const asked = Array.from({ length: 150 }, (_, i) => {
      if (i % 3 === 0) return seen().then((ids) => expect(ids).toEqual([]));
      const [as, own] = i % 3 === 1 ? [first, [11, 12]] : [second, [21, 22]];
      const ask = i % 2 === 0 ? () => seen() : () => unitOfWork.run((tx) => seen(tx));
      return as(ask).then((ids) => expect(ids).toEqual(own));
    });
    await Promise.all(asked);
  });

  it('S54 runs a prepared statement for whom it was issued, though others give it their connection, also after one has failed', async () => {
    const ids = async (): Promise<unknown[]> =>
      (await prepared<{ id: number }>(dataSource, 'SELECT id FROM gadgets WHERE id > $1 ORDER BY id', [0])).map(
        ({ id }) => id,
      );
    const asked = Array.from({ length: 150 }, async (_, i) => {
      if (i % 5 === 0)
        await expect(first(() => prepared(dataSource, 'SELECT 1 / $1::int', [0]))).rejects.toThrow('division by zero');
      const [as, own] = i % 3 === 1 ? [first, [11, 12]] : [second, [21, 22]];
      expect(i % 3 === 0 ? await ids() : await as(ids)).toEqual(i % 3 === 0 ? [] : own);
    });
    await Promise.all(asked);
  });

  it('S54 lets nobody write a row of another, or hand his own over', async () => {
    const write = (sql: string) => first(() => dataSource.query(sql));
    await expect(write('INSERT INTO gadgets VALUES (13, 2, 103)')).rejects.toThrow('row-level security');
    await expect(write('INSERT INTO gadgets VALUES (13, NULL, 103)')).rejects.toThrow('row-level security');
    await expect(write('UPDATE gadgets SET organization_id = 2 WHERE id = 11')).rejects.toThrow('row-level security');
    expect(await write('UPDATE gadgets SET site_id = 1 WHERE id = 21')).toEqual([[], 0]);
    expect(await write('DELETE FROM gadgets')).toEqual([[], 2]);
    expect(await asSystem(seen)).toEqual([21, 22, 99]);
    await expect(dataSource.query('INSERT INTO gadgets VALUES (13, 1, 103)')).rejects.toThrow('row-level security');
  });

  it('S54 lets everybody read what is the platform’s own, and nobody else write it', async () => {
    const plans = (): Promise<unknown> => dataSource.query('SELECT id, name FROM plans');
    const there = [{ id: 1, name: 'free' }];
    expect([await plans(), await first(plans), await asSystem(plans)]).toEqual([there, there, there]);
    for (const statement of ["UPDATE plans SET name = 'mine'", 'DELETE FROM plans'])
      expect(await first(() => dataSource.query<[unknown, number]>(statement))).toEqual([[], 0]);
    await expect(first(() => dataSource.query("INSERT INTO plans VALUES (2, 'mine')"))).rejects.toThrow(
      'row-level security',
    );
    expect(await asSystem(() => dataSource.query<[unknown, number]>("UPDATE plans SET name = 'free'"))).toEqual([
      [],
      1,
    ]);
  });

  it('S54 shows a shared site to whom it is shared with, and lets her change nothing of it', async () => {
    const guest = <T>(work: () => T): T => asTenant({ organization_ids: [1], shared_site_ids: [202] }, work);
    expect(await guest(seen)).toEqual([11, 12, 22]);
    expect(await guest(() => dataSource.query('UPDATE gadgets SET site_id = 5 WHERE id = 22'))).toEqual([[], 0]);
    expect(await guest(() => dataSource.query('DELETE FROM gadgets WHERE id = 22'))).toEqual([[], 0]);
    expect(await guest(() => dataSource.query('SELECT id FROM gadgets FOR UPDATE'))).toHaveLength(2);
    await asSystem(() => dataSource.query('INSERT INTO api_keys VALUES (1, 1, 101), (2, 2, 202)'));
    expect(await guest(() => dataSource.query('SELECT id FROM api_keys'))).toEqual([{ id: 1 }]);
  });

  it('runs a part of a transaction for the platform, and what comes after it for the tenant again', async () => {
    const looks = await first(() =>
      unitOfWork.run(async (tx) => [await seen(tx), await asSystem(() => seen(tx)), await seen(tx)]),
    );
    expect(looks).toEqual([
      [11, 12],
      [11, 12, 21, 22, 99],
      [11, 12],
    ]);
  });

  it('knows whose transaction it is after going back to a savepoint', async () => {
    const looks = await first(() =>
      dataSource.transaction(async (tx) => {
        const inner = await tx
          .transaction(async (nested) => {
            await asSystem(() => seen(nested));
            throw new Error('back');
          })
          .catch((error: Error) => error.message);
        return [inner, await seen(tx)];
      }),
    );
    expect(looks).toEqual(['back', [11, 12]]);
  });

  it('serves reading transactions, whose level is set before the first row is read', async () => {
    expect(await first(() => dataSource.transaction('REPEATABLE READ', (tx) => seen(tx)))).toEqual([11, 12]);
  });

  it('runs a request for nobody until it says who asks', async () => {
    const looks = await asSomebody(async () => {
      const before = await seen();
      nowActsFor({ organization_ids: [2] });
      return [before, await seen()];
    });
    expect(looks).toEqual([[], [21, 22]]);
    expect(() => nowActsFor({ organization_ids: [2] })).toThrow('asSomebody');
  });

  it('sends no more than it did: one round trip a statement, the settings in the same message', async () => {
    const { TenantClient } = await import('./tenant-client.js');
    const client = new TenantClient(urlForRole(database.url, service.role, service.password));
    await client.connect();
    try {
      await first(() => client.query('SELECT 1'));
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
      const answers: number[] = [];
      stream.on('data', (chunk: Buffer) => answers.push(chunk.toString('latin1').split('Z\0\0\0\x05').length - 1));
      await first(() => client.query('SELECT 1'));
      // One "ready for query": one exchange, one transaction.
      expect(answers.reduce((sum, count) => sum + count, 0)).toBe(1);
    } finally {
      await client.end();
    }
  });

  it('leaves tables alone that are of no tenant', async () => {
    expect(await dataSource.query('SELECT id FROM weather')).toEqual([]);
    await dataSource.query('INSERT INTO weather VALUES (1)');
    expect(await dataSource.query('DELETE FROM weather')).toEqual([[], 1]);
  });

  it('S54 refuses to prepare a database for a role that walks past row-level security', async () => {
    await prepareDatabase({ adminUrl: database.url, services: [service] });
    const admin = createDataSource({
      url: database.url,
      schema: 'public',
      entities: [],
      migrations: [],
      applicationName: 'spec',
    });
    await admin.initialize();
    try {
      await admin.query(`ALTER ROLE ${service.role} BYPASSRLS`);
      await expect(prepareDatabase({ adminUrl: database.url, services: [service] })).rejects.toThrow('NOBYPASSRLS');
      await admin.query(`ALTER ROLE ${service.role} NOBYPASSRLS`);
    } finally {
      await admin.destroy();
    }
  });
});
