import { TypeOrmUnitOfWork } from '#libs/database';
import { createLogger } from '#libs/runtime';
import { ManualClock, testDatabase, type TestDatabase } from '#libs/testing';
import { entities } from '../database/entities.js';
import { migrations } from '../database/migrations/index.js';
import { AuditLog } from './audit-log.service.js';
import { AuditSealRepository } from './audit-seal.repository.js';
import { AuditSealingKey, SealAuditLog } from './seal-audit-log.service.js';
import { sealingKeyOfLog } from './seal-chain.js';
import { VerifyAuditLog } from './verify-audit-log.service.js';

describe('S78: the chain of seals', () => {
  const key = sealingKeyOfLog('p'.repeat(40));
  const logger = createLogger('test', { level: 'silent' });
  let database: TestDatabase;
  let audit: AuditLog;
  beforeAll(async () => {
    database = await testDatabase({ schema: 'gateway', entities, migrations });
    audit = new AuditLog(database.dataSource, new ManualClock('2026-01-02T03:04:05.678Z'), logger);
  });
  afterAll(() => database.drop());
  beforeEach(() => tamper('TRUNCATE audit_log, audit_seals, audit_unsealed'));

  const sealer = () =>
    new SealAuditLog(
      new AuditSealRepository(),
      new AuditSealingKey(key),
      new TypeOrmUnitOfWork(database.dataSource),
      logger,
    );
  const verify = (noted?: { position: number; seal: string }, with_ = key) =>
    new VerifyAuditLog(new AuditSealRepository(), with_).verify(database.dataSource.manager, noted);
  const faults = async (noted?: { position: number; seal: string }) =>
    (await verify(noted)).faults.map(({ kind, ...where }) => ('lineId' in where ? [kind, where.lineId] : [kind]));
  const write = (...actions: string[]) =>
    database.dataSource.transaction(async (tx) => {
      for (const action of actions) await audit.record(tx, { action, actor: 'user:x', detail: { b: 1, a: 'ü' } });
    });
  const ids = async () =>
    (await database.dataSource.query<{ id: number }[]>('SELECT id FROM audit_log ORDER BY id')).map(({ id }) =>
      Number(id),
    );
  /** As somebody who owns the database can. */
  async function tamper(sql: string): Promise<void> {
    for (const table of ['audit_log', 'audit_seals'])
      await database.dataSource.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
    await database.dataSource.query(sql);
    for (const table of ['audit_log', 'audit_seals'])
      await database.dataSource.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
  }

  it('holds every committed line once, however many write and seal at the same time', async () => {
    const writers = Array.from({ length: 12 }, (_, i) =>
      i % 4 === 3
        ? database.dataSource
            .transaction(async (tx) => {
              await audit.record(tx, { action: 'a.b', actor: 'user:x' });
              throw new Error('not after all');
            })
            .catch(() => undefined)
        : write('a.b', 'a.c', 'a.d'),
    );
    const sealers = [sealer(), sealer(), sealer()];
    await Promise.all([...writers, ...sealers.flatMap((one) => [one.sealAll(), one.sealAll()])]);
    await sealers[0]!.sealAll();
    expect(await verify()).toMatchObject({ lines: 27, unsealed: 0, faults: [], head: { position: 27 } });
    const sealed = await database.dataSource.query<{ line_id: number }[]>(
      'SELECT line_id FROM audit_seals ORDER BY line_id',
    );
    expect(sealed.map((row) => Number(row.line_id))).toEqual(await ids());
  });

  it('goes on where another replica stopped, past the number of lines of one transaction', async () => {
    await sealer().sealAll();
    await write(...Array<string>(10).fill('a.b'));
    await sealer().sealAll();
    await database.dataSource.query(
      `INSERT INTO audit_log (at, action, outcome, actor) SELECT now(), 'flood.x', 'done', 'x' FROM generate_series(1, 2500)`,
    );
    await sealer().sealAll();
    expect(await verify()).toMatchObject({ lines: 2510, unsealed: 0, faults: [] });
  });

  it.each([
    ['its action', `action = 'a.z'`],
    ['its time by a microsecond', `at = at + interval '1 microsecond'`],
    ['whose it is', 'organization_id = 7'],
    ['a detail', `detail = '{"a": "u", "b": 1}'`],
    ['a reason where there was none', `reason = ''`],
  ])('names the line of which was changed: %s', async (_what, change) => {
    await write('a.b', 'a.c', 'a.d');
    await sealer().sealAll();
    const [, second] = await ids();
    await tamper(`UPDATE audit_log SET ${change} WHERE id = ${second}`);
    expect(await faults()).toEqual([['line_changed', second]]);
  });

  it('names lines that were removed, and those that were inserted past the trigger', async () => {
    await write('a.b', 'a.c', 'a.d');
    await sealer().sealAll();
    const [, second] = await ids();
    await tamper(`DELETE FROM audit_log WHERE id = ${second}`);
    expect(await faults()).toEqual([['line_removed', second]]);
    await tamper(`INSERT INTO audit_log (at, action, outcome, actor) VALUES (now(), 'a.x', 'done', 'user:y')`);
    expect(await faults()).toEqual([
      ['line_removed', second],
      ['line_inserted', (await ids()).at(-1)],
    ]);
  });

  it('names a line whose seal was made without the key, and gaps in the chain', async () => {
    await write('a.b', 'a.c', 'a.d', 'a.e');
    await sealer().sealAll();
    const [first, second, third] = await ids();
    await tamper(`UPDATE audit_seals SET seal = sha256('x') WHERE line_id = ${first}`);
    expect(await faults()).toEqual([
      ['line_changed', first],
      ['line_changed', second],
    ]);
    await tamper(`DELETE FROM audit_seals WHERE line_id = ${third}`);
    expect(await faults()).toEqual([
      ['line_changed', first],
      ['line_changed', second],
      ['seals_missing', null],
      ['line_inserted', third],
    ]);
    expect((await verify(undefined, sealingKeyOfLog('q'.repeat(40)))).faults.length).toBeGreaterThan(2);
  });

  it('shows that its end was cut off to whoever noted it', async () => {
    await write('a.b', 'a.c', 'a.d');
    await sealer().sealAll();
    const { head } = await verify();
    expect(await faults(head)).toEqual([]);
    const [, , last] = await ids();
    await tamper(`DELETE FROM audit_log WHERE id = ${last}; DELETE FROM audit_seals WHERE line_id = ${last}`);
    expect(await faults()).toEqual([]);
    expect(await faults(head)).toEqual([['noted_head_missing']]);
  });

  it.each(['UPDATE audit_seals SET position = position', 'DELETE FROM audit_seals', 'TRUNCATE audit_seals'])(
    'refuses: %s',
    async (statement) => {
      await expect(database.dataSource.query(statement)).rejects.toThrow('append-only');
    },
  );
});
