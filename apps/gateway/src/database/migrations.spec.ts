import { expectNoPendingMigration } from '#libs/database';
import { testDatabase } from '#libs/testing';
import type { TestDatabase } from '#libs/testing';
import { entities } from './entities.js';
import { migrations } from './migrations/index.js';

describe('the migrations of the gateway', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase({ schema: 'gateway', entities, migrations });
  });
  afterAll(() => database.drop());

  it('build exactly what the entities describe', async () => {
    await expectNoPendingMigration(database.dataSource);
  });

  it.each(['UPDATE audit_log SET action = action', 'DELETE FROM audit_log', 'TRUNCATE audit_log'])(
    'make the audit log refuse: %s',
    async (statement) => {
      await expect(database.dataSource.query(statement)).rejects.toThrow('append-only');
    },
  );

  it('can be taken back', async () => {
    for (const _ of migrations) await database.dataSource.undoLastMigration();
    const tables = await database.dataSource.query<{ name: string }[]>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'gateway' AND tablename <> 'migrations'`,
    );
    expect(tables).toEqual([]);
  });
});
