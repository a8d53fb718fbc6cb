import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { entities } from './entities.js';
import { migrations } from './migrations/index.js';

const PUSH = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

/** A database of the release before, with pushes in it. */
describe('the migration that begins to keep inventories as a whole', () => {
  let database: TestDatabase;
  const query = <T>(sql: string): Promise<T[]> => database.dataSource.query(sql);
  const migrateTo = async (last: number) => {
    const dataSource = createDataSource({
      url: database.url,
      schema: 'ingest',
      entities: [],
      migrations: migrations.slice(0, last),
      applicationName: 'spec',
    });
    await dataSource.initialize();
    try {
      await dataSource.runMigrations({ transaction: 'each' });
    } finally {
      await dataSource.destroy();
    }
  };

  beforeAll(async () => {
    database = await testDatabase({ schema: 'ingest', entities, migrations: migrations.slice(0, 1) });
    await database.dataSource.query(`
      INSERT INTO site_states (site_id, organization_id, site_uuid, epoch, sequence, core_version, php_version)
      VALUES (1, 7, '${PUSH(9)}', 1, 4, '10.3.2', '8.3.1');
      INSERT INTO receipts (site_id, push_id, organization_id, state, reason, epoch, sequence, received_at, settled_at, changes) VALUES
        (1, '${PUSH(1)}', 7, 'applied', 'changed', 1, 1, '2026-05-01 10:00:05Z', now(), 2),
        (1, '${PUSH(2)}', 7, 'applied', 'unchanged', 1, 2, '2026-05-02 10:00:05Z', now(), 0),
        (1, '${PUSH(3)}', 7, 'superseded', 'older_than_current', 1, 0, '2026-05-02 11:00:05Z', now(), 0),
        (1, '${PUSH(4)}', 7, 'applied', 'changed', 1, 4, '2026-05-03 10:00:05Z', now(), 1);
      INSERT INTO site_modules (site_id, module, epoch, sequence, organization_id, type, version, state, custom, valid_from, valid_to, end_epoch, end_sequence) VALUES
        (1, 'token', 1, 1, 7, 'module', '8.x-1.13', 'enabled', false, '2026-05-01 10:00Z', '2026-05-03 10:00Z', 1, 4),
        (1, 'views', 1, 1, 7, 'module', '1.0', 'enabled', false, '2026-05-01 10:00Z', NULL, NULL, NULL);
      INSERT INTO patch_runs (site_id, epoch, sequence, organization_id, push_id, after, observed_at, items)
      VALUES (1, 1, 4, 7, '${PUSH(4)}', '2026-05-02 10:00Z', '2026-05-03 10:00Z', '[]');
      INSERT INTO raw_pushes (site_id, push_id, received_at, organization_id, content_encoding, body)
      VALUES (1, '${PUSH(4)}', now(), 7, 'identity', '');
    `);
    await migrateTo(2);
  });
  afterAll(() => database?.drop());

  it('puts together what was kept of applied inventories, and marks it so', async () => {
    const changes = await query(
      `SELECT epoch::int, sequence::int, push_id, observed_at, previous_observed_at, first, complete, core_version, php_version, reconstructed
       FROM inventory_changes ORDER BY sequence`,
    );
    const common = { epoch: 1, complete: true, reconstructed: true };
    expect(changes).toEqual([
      {
        ...common,
        sequence: 1,
        push_id: PUSH(1),
        observed_at: new Date('2026-05-01T10:00:00Z'),
        previous_observed_at: null,
        first: true,
        core_version: null,
        php_version: null,
      },
      // Its push ended a version and began none: the end tells when.
      {
        ...common,
        sequence: 4,
        push_id: PUSH(4),
        observed_at: new Date('2026-05-03T10:00:00Z'),
        previous_observed_at: new Date('2026-05-02T10:00:00Z'),
        first: false,
        core_version: '10.3.2',
        php_version: '8.3.1',
      },
    ]);
  });

  it('leaves a month that was written to as it is, and has days everywhere else', async () => {
    const partitions = (
      await query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'raw_pushes'::regclass ORDER BY 1`,
      )
    ).map(({ name }) => name);
    const month = `raw_pushes_${new Date().toISOString().slice(0, 7).replace('-', '_')}`;
    expect(partitions.filter((name) => /_\d{4}_\d{2}$/.test(name))).toEqual([month]);
    expect(partitions.filter((name) => name.startsWith(`${month}_`))).toEqual([]);
    const [row] = await query<{ partition: string }>('SELECT tableoid::regclass::text AS partition FROM raw_pushes');
    expect(row!.partition).toBe(month);
    // Every day of the next two weeks has its place: the month's, or one of its own.
    const homeless = await query(
      `SELECT day FROM generate_series(0, 14) AS day
       WHERE to_regclass('raw_pushes_' || to_char((now() + make_interval(days => day)) AT TIME ZONE 'UTC', 'YYYY_MM_DD')) IS NULL
         AND to_char((now() + make_interval(days => day)) AT TIME ZONE 'UTC', 'YYYY_MM') <> to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')`,
    );
    expect(homeless).toEqual([]);
  });
});
