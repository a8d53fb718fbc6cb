import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, EntityManager } from 'typeorm';
import { emptyDatabase, eventually } from '#libs/testing';
import { createDataSource } from './data-source.js';
import { classifySqlError } from './sql-errors.js';
import { TypeOrmUnitOfWork } from './unit-of-work.js';

describe(TypeOrmUnitOfWork.name, () => {
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let dataSource: DataSource;
  let unitOfWork: TypeOrmUnitOfWork;

  beforeAll(async () => {
    database = await emptyDatabase();
    dataSource = createDataSource({
      url: database.url,
      schema: 'public',
      entities: [],
      migrations: [],
      applicationName: 'spec',
      poolSize: 4,
    });
    await dataSource.initialize();
    await dataSource.query('CREATE TABLE counters (id bigint PRIMARY KEY, value bigint NOT NULL, day date)');
    unitOfWork = new TypeOrmUnitOfWork(dataSource, { pauseMs: 1 });
  });
  beforeEach(async () => {
    await dataSource.query('TRUNCATE counters');
    await dataSource.query("INSERT INTO counters VALUES (1, 0, '2024-02-29'), (2, 0, NULL)");
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const values = async (): Promise<number[]> =>
    (await dataSource.query('SELECT value FROM counters ORDER BY id')).map((row: { value: number }) => row.value);
  const add = (tx: EntityManager, id: number) => tx.query('UPDATE counters SET value = value + 1 WHERE id = $1', [id]);

  it('commits what the work did and returns its answer', async () => {
    const answer = await unitOfWork.run(async (tx) => {
      await add(tx, 1);
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await values()).toEqual([1, 0]);
  });

  it('rolls back when the work throws, hands on that very error, and gives the connection back', async () => {
    const problem = new Error('no');
    for (let round = 0; round < 6; round++) {
      const failed = unitOfWork.run(async (tx) => {
        await add(tx, 1);
        throw problem;
      });
      await expect(failed).rejects.toBe(problem);
    }
    expect(await values()).toEqual([0, 0]);
  });

  it('fails as the world does when the connection breaks between two statements of its work', async () => {
    const failed = unitOfWork.run(async (tx) => {
      const [{ pid }]: [{ pid: number }] = await tx.query('SELECT pg_backend_pid() AS pid');
      await dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
      await eventually(() => Promise.resolve(tx.queryRunner!.isReleased), {
        what: 'the broken connection to be noticed',
      });
      await add(tx, 1);
    });
    const error = await failed.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect([(error as Error).name, classifySqlError(error)]).toEqual([
      expect.stringMatching(/Released/),
      'infrastructure',
    ]);
    expect(await values()).toEqual([0, 0]);
  });

  it('runs the whole work again in a fresh transaction after a real deadlock', async () => {
    const runs: [string, number][] = [];
    // Each takes its first row, waits until the other has its own, then wants the other's.
    let arrived = 0;
    let open!: () => void;
    const bothHoldARow = new Promise<void>((resolve) => (open = resolve));
    const cross = (name: string, first: number, second: number) =>
      unitOfWork.run(async (tx) => {
        const [{ txid }] = await tx.query('SELECT txid_current() AS txid');
        runs.push([name, txid]);
        await add(tx, first);
        if (++arrived >= 2) open();
        await bothHoldARow;
        await add(tx, second);
      });

    await Promise.all([cross('a', 1, 2), cross('b', 2, 1)]);

    expect(await values()).toEqual([2, 2]);
    expect(runs).toHaveLength(3);
    expect(new Set(runs.map(([, txid]) => txid)).size).toBe(3);
  });

  it('gives up after its attempts with the conflict itself', async () => {
    let runs = 0;
    const failed = new TypeOrmUnitOfWork(dataSource, { attempts: 3, pauseMs: 1 }).run(async (tx) => {
      runs++;
      await tx.query("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40001'; END $$");
    });
    await expect(failed).rejects.toMatchObject({ code: '40001' });
    expect(runs).toBe(3);
  });

  it('does not repeat a failure of data', async () => {
    let runs = 0;
    const failed = unitOfWork.run(async (tx) => {
      runs++;
      await tx.query('INSERT INTO counters VALUES (1, 0)');
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(runs).toBe(1);
  });

  it('reports the lost connection, not the rollback that failed after it, and works on with a new one', async () => {
    const failed = unitOfWork.run((tx) => tx.query('SELECT pg_terminate_backend(pg_backend_pid())'));
    expect(classifySqlError(await failed.catch((error: unknown) => error))).toBe('infrastructure');
    expect(await unitOfWork.run((tx) => tx.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('reads int8 as a number, refuses one that does not fit, keeps a date as text, and lives in UTC', async () => {
    const [row] = await dataSource.query(
      "SELECT value, day, ARRAY[1, NULL]::bigint[] AS list, current_setting('timezone') AS zone, current_setting('statement_timeout') AS timeout FROM counters WHERE id = 1",
    );
    expect(row).toEqual({ value: 0, day: '2024-02-29', list: [1, null], zone: 'UTC', timeout: '30s' });
    await expect(dataSource.query('SELECT 9007199254740993::bigint')).rejects.toThrow('does not fit');
    expect(await dataSource.query('SELECT 1::bigint AS one')).toEqual([{ one: 1 }]);
  });
});
