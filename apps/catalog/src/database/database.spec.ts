import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectNoPendingMigration } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { entities } from './entities.js';
import { migrations } from './migrations/index.js';

describe('the schema of catalog', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase({ schema: 'catalog', entities, migrations });
  });
  afterAll(() => database.drop());

  it('is built by its migrations exactly as its entities describe it', async () => {
    await expectNoPendingMigration(database.dataSource);
  });

  it('can be taken back', async () => {
    for (const _ of migrations) await database.dataSource.undoLastMigration();
    const [left] = await database.dataSource.query(
      `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'catalog' AND tablename <> 'migrations'`,
    );
    expect(left.tables).toBe(0);
  });
});
