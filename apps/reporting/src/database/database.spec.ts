import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectNoPendingMigration } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { entities } from './entities.js';
import { SourcesAndOwnModules1763800000000 } from './migrations/1763800000000-sources-and-own-modules.js';
import { migrations } from './migrations/index.js';

describe('the schema of reporting', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase({ schema: 'reporting', entities, migrations });
  });
  afterAll(() => database?.drop());

  it('is built by its migrations exactly as its entities describe it', async () => {
    await expectNoPendingMigration(database.dataSource);
  });

  it('can be taken back', async () => {
    for (const _ of migrations) await database.dataSource.undoLastMigration();
    const [left] = await database.dataSource.query(
      `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'reporting' AND tablename <> 'migrations'`,
    );
    expect(left.tables).toBe(0);
  });
});

describe('the schema of reporting, brought up from the one before', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase({ schema: 'reporting', entities, migrations });
  });
  afterAll(() => database?.drop());

  it('knows Drupal.org’s mark of every version, and the version of every advisory, that were there', async () => {
    const { dataSource } = database;
    const later = migrations.length - migrations.indexOf(SourcesAndOwnModules1763800000000);
    for (let i = 0; i < later; i++) await dataSource.undoLastMigration();
    const releases = [
      { version: '8.x-1.6', terms: { 'Release type': ['Security update'] } },
      { version: '8.x-1.5', terms: { 'Release type': ['Bug fixes', 'Insecure'] } },
      { version: '8.x-1.4' },
    ];
    await dataSource.query(
      `INSERT INTO modules (module_id, module, history, revision) VALUES (1, 'token', $1, 1), (2, 'custom', NULL, 0)`,
      [JSON.stringify({ releases })],
    );
    await dataSource.query(
      `INSERT INTO version_statuses (module_id, version, datestamp, status, standing, security_updates)
       SELECT module_id, version, 0, 'unknown', 'unknown', '{}'
       FROM (VALUES (1, '8.x-1.6'), (1, '8.x-1.5'), (1, '8.x-1.4'), (1, '8.x-1.3'), (1, NULL), (2, '1.0')) AS row(module_id, version)`,
    );
    await dataSource.query(
      `INSERT INTO advisories (module_id, advisory, revision, state, title, url, published_at, known_at, cves, affected, fixed, unsupported)
       VALUES (1, 'SA-1', 3, 'published', 'One', 'https://x.example', '2026-05-20Z', '2026-05-21Z', '{CVE-1}', '<1.6', '{8.x-1.6}', false)`,
    );
    await dataSource.runMigrations();
    expect(
      await dataSource.query(`SELECT version, mark FROM version_statuses ORDER BY module_id, version DESC NULLS LAST`),
    ).toEqual([
      { version: '8.x-1.6', mark: 'not_insecure' },
      { version: '8.x-1.5', mark: 'insecure' },
      { version: '8.x-1.4', mark: 'not_insecure' },
      { version: '8.x-1.3', mark: 'not_listed' },
      { version: null, mark: 'not_listed' },
      { version: '1.0', mark: null },
    ]);
    const [kept] = await dataSource.query('SELECT advisory, revision, facts FROM advisory_revisions');
    expect(kept).toMatchObject({
      ...{ advisory: 'SA-1', revision: 3 },
      facts: { module: 'token', cves: ['CVE-1'], affected: '<1.6', fixed: ['8.x-1.6'], state: 'published' },
    });
  });
});
