import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TypeOrmUnitOfWork } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { entities } from '../database/entities.js';
import { migrations } from '../database/migrations/index.js';
import { ModuleRepository } from '../module/module.repository.js';
import { SyncStateRepository, type SyncResult } from './sync-state.repository.js';

const NOW = new Date('2026-03-03T10:00:00Z');
const later = (ms: number) => new Date(NOW.getTime() + ms);

describe('the leases of the catalog', () => {
  let database: TestDatabase;
  let unitOfWork: TypeOrmUnitOfWork;
  const states = new SyncStateRepository();

  beforeAll(async () => {
    database = await testDatabase({ schema: 'catalog', entities, migrations });
    unitOfWork = new TypeOrmUnitOfWork(database.dataSource);
  });
  afterAll(() => database.drop());
  beforeEach(() =>
    unitOfWork.run(async (tx) => {
      await tx.query('TRUNCATE modules, sync_states');
      const names = Array.from({ length: 40 }, (_, i) => ({ module: `module_${i}`, type: 'module' }));
      await states.follow(tx, await new ModuleRepository().register(tx, names, NOW), NOW);
    }),
  );

  const claim = (owner: string, now = NOW, limit = 10) =>
    unitOfWork.run((tx) =>
      states.claim(tx, {
        owner,
        now,
        leaseUntil: new Date(now.getTime() + 60_000),
        limit,
        kinds: ['module', 'advisories'],
      }),
    );
  const settle = (results: SyncResult[], now = NOW) => unitOfWork.run((tx) => states.settle(tx, results, now));
  const result = (subject: string, outcome: SyncResult['outcome'], nextDue: Date): SyncResult => ({
    subject,
    outcome,
    code: null,
    detail: null,
    nextDue,
  });
  const state = async (subject: string) =>
    (await database.dataSource.query('SELECT * FROM sync_states WHERE subject = $1', [subject]))[0];

  it('are held by one worker each, however many claim at once', async () => {
    const claims = await Promise.all(Array.from({ length: 6 }, (_, i) => claim(`worker ${i}`)));
    const subjects = claims.flat().map(({ subject }) => subject);
    expect(subjects).toHaveLength(40);
    expect(new Set(subjects).size).toBe(40);
    expect(await claim('one more')).toEqual([]);
  });

  it('run out, so that what a dead worker held is taken by another, whose answer alone counts', async () => {
    const [first] = await claim('dead', NOW, 1);
    const taken = (await claim('heir', later(60_000), 40)).map(({ subject }) => subject);
    expect(taken).toContain(first!.subject);
    const held = (owner: string) => unitOfWork.run((tx) => states.held(tx, owner, [first!.subject]));
    expect([[...(await held('dead'))], [...(await held('heir'))]]).toEqual([[], [first!.subject]]);
  });

  it('end with the answer: success forgets failures, failure counts them, a postponement neither', async () => {
    const [a] = await claim('w', NOW, 1);
    await settle([result(a!.subject, 'failed', later(1_000))]);
    expect(await state(a!.subject)).toMatchObject({
      failures: 1,
      lease_owner: null,
      next_due: later(1_000),
      last_success_at: null,
    });
    await settle([result(a!.subject, 'postponed', later(2_000))]);
    expect(await state(a!.subject)).toMatchObject({ failures: 1, next_due: later(2_000) });
    await settle([result(a!.subject, 'unchanged', later(3_000))]);
    expect(await state(a!.subject)).toMatchObject({ failures: 0, next_due: later(3_000), last_success_at: NOW });
  });

  it('do not swallow news: what is hastened while it is asked for is due again at once', async () => {
    const [a, b] = await claim('w', NOW, 2);
    const module = a!.subject.slice('module:'.length);
    await unitOfWork.run((tx) => states.hasten(tx, [module], later(500), later(3_600_000)));
    expect(await claim('other', later(600), 40)).not.toContainEqual(expect.objectContaining({ subject: a!.subject }));
    await settle(
      [result(a!.subject, 'unchanged', later(9_000_000)), result(b!.subject, 'unchanged', later(9_000_000))],
      later(1_000),
    );
    expect((await state(a!.subject)).next_due).toEqual(later(1_000));
    expect((await state(b!.subject)).next_due).toEqual(later(9_000_000));
    const again = await claim('w', later(1_000), 40);
    expect(again.find(({ subject }) => subject === a!.subject)).toMatchObject({ hotUntil: later(3_600_000) });
  });

  it('are given back at once by a worker that stops in good order', async () => {
    await claim('leaving', NOW, 40);
    await unitOfWork.run((tx) => states.release(tx, 'leaving', later(10)));
    expect(await claim('staying', later(10), 40)).toHaveLength(40);
  });

  it('are not given for kinds whose host is left alone', async () => {
    await unitOfWork.run((tx) => states.followAdvisories(tx, NOW));
    const only = await unitOfWork.run((tx) =>
      states.claim(tx, { owner: 'w', now: NOW, leaseUntil: later(60_000), limit: 40, kinds: ['advisories'] }),
    );
    expect(only).toEqual([{ kind: 'advisories', subject: 'advisories', failures: 0 }]);
  });
});
