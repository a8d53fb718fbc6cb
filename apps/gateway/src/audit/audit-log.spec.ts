import { createLogger } from '#libs/runtime';
import { eventually, ManualClock, testDatabase, type TestDatabase } from '#libs/testing';
import { entities } from '../database/entities.js';
import { migrations } from '../database/migrations/index.js';
import { AuditLog } from './audit-log.service.js';

interface Line {
  readonly action: string;
  readonly reason: string | null;
  readonly actor: string;
  readonly occurrences: number;
  readonly at: Date;
}

describe('the audit log', () => {
  let database: TestDatabase;
  let clock: ManualClock;
  let audit: AuditLog;
  beforeAll(async () => {
    database = await testDatabase({ schema: 'gateway', entities, migrations });
  });
  afterAll(() => database.drop());
  beforeEach(() => {
    clock = new ManualClock('2026-01-02T03:04:05Z');
    audit = new AuditLog(database.dataSource, clock, createLogger('test', { level: 'silent' }));
  });
  afterEach(async () => {
    await audit.onApplicationShutdown();
    await database.dataSource.query(
      'ALTER TABLE audit_log DISABLE TRIGGER USER; TRUNCATE audit_log; ALTER TABLE audit_log ENABLE TRIGGER USER',
    );
  });

  const lines = () =>
    database.dataSource.query<Line[]>('SELECT action, reason, actor, occurrences, at FROM audit_log ORDER BY id');
  const refuse = (actor: string, reason = 'invalid_json') =>
    audit.refused({ action: 'push.refused', reason, actor, subject: 'site:x' });

  it('has the first refusal of a kind at once, and the others of that minute as one number', async () => {
    refuse('key:a');
    await eventually(async () => (await lines()).length === 1, { what: 'the first line' });
    for (let i = 0; i < 5_000; i++) refuse('key:a');
    refuse('key:b');
    await eventually(async () => (await lines()).length === 2, { what: 'the line of another key' });
    expect((await lines()).map(({ actor, occurrences }) => [actor, occurrences])).toEqual([
      ['key:a', 1],
      ['key:b', 1],
    ]);
    clock.advance(61_000);
    await eventually(async () => (await lines()).length === 3, { what: 'the number of the minute' });
    expect((await lines())[2]).toMatchObject({ actor: 'key:a', reason: 'invalid_json', occurrences: 5_000 });
  });

  it('loses no count when it stops', async () => {
    refuse('key:a');
    refuse('key:a');
    await audit.onApplicationShutdown();
    expect(await lines()).toMatchObject([{ actor: 'key:a', occurrences: 2 }]);
  });

  it('tells at most 200 kinds of refusal apart: what else comes is counted together', async () => {
    for (let i = 0; i < 10_000; i++) refuse(`key:${i}`);
    await audit.flush();
    const written = await lines();
    expect(written).toHaveLength(201);
    expect(written.at(-1)).toMatchObject({ action: 'refused.other', reason: 'other', occurrences: 9_800 });
    expect(written.reduce((sum, line) => sum + line.occurrences, 0)).toBe(10_000);
  });

  it('waits for a database that is away, and says how many lines it could not keep', async () => {
    await database.dataSource.query('ALTER TABLE audit_log RENAME TO audit_log_away');
    for (let i = 0; i < 2_500; i++) audit.done({ action: 'login.succeeded', actor: `user:${i}` });
    await audit.flush();
    await database.dataSource.query('ALTER TABLE audit_log_away RENAME TO audit_log');
    await audit.flush();
    const written = await lines();
    expect(written.filter(({ action }) => action === 'login.succeeded')).toHaveLength(2_000);
    expect(written.filter(({ action }) => action === 'audit.lines_lost')).toMatchObject([{ occurrences: 500 }]);
  });

  it('has the line of a change if, and only if, the change was made', async () => {
    const change = (fails: boolean) =>
      database.dataSource.transaction(async (tx) => {
        await audit.record(tx, { action: 'site.created', actor: 'user:x' });
        if (fails) throw new Error('not after all');
      });
    await expect(change(true)).rejects.toThrow('not after all');
    await change(false);
    expect(await lines()).toHaveLength(1);
  });
});
