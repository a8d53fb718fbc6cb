import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createDataSource } from '#libs/database';
import { deadLettersMigrationSql, outboxMigrationSql, PostgresDeadLetterStore } from '#libs/outbox';
import type { DeadLetter } from '#libs/streams';
import { emptyDatabase } from '#libs/testing';
import type { CommandError } from './command-error.js';
import { isNarrow, readTime, selectLetters, workThrough } from './dead-letters.js';

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'nothing thrown';
  } catch (error) {
    return (error as CommandError).code;
  }
};

describe('a selection of dead letters', () => {
  it('is of every service that reads a queue, unless service, queue or letters say which', () => {
    expect([...selectLetters({ letters: [] }).keys()]).toEqual([
      'ingest',
      'catalog',
      'reporting',
      'notifier',
      'gateway',
    ]);
    expect([...selectLetters({ letters: [], service: 'catalog' })]).toEqual([['catalog', {}]]);
    expect([...selectLetters({ letters: [], queue: 'ingest.pushes', reason: 'data_rejected' })]).toEqual([
      ['ingest', { queue: 'ingest.pushes', code: 'data_rejected' }],
    ]);
    expect([...selectLetters({ letters: ['ingest/3', 'notifier/4', 'ingest/5'], organizationId: 7 })]).toEqual([
      ['ingest', { organizationId: 7, ids: [3, 5] }],
      ['notifier', { organizationId: 7, ids: [4] }],
    ]);
  });

  it('is refused with a code when it names nothing there is', () => {
    expect(codeOf(() => selectLetters({ letters: [], service: 'nobody' }))).toBe('no_such_service');
    expect(codeOf(() => selectLetters({ letters: [], queue: 'ingest.push' }))).toBe('no_such_queue');
    expect(codeOf(() => selectLetters({ letters: [], queue: 'ingest.pushes', service: 'catalog' }))).toBe(
      'queue_of_another_service',
    );
    for (const letter of ['17', 'ingest/x', 'ingest/', 'nobody/1'])
      expect(codeOf(() => selectLetters({ letters: [letter] }))).toBe('no_such_letter');
  });

  it('is narrow as soon as anything is said', () => {
    expect(isNarrow({ letters: [] })).toBe(false);
    expect(isNarrow({ letters: ['ingest/1'] })).toBe(true);
    expect(isNarrow({ letters: [], before: new Date() })).toBe(true);
  });

  it('takes times as people write them', () => {
    const now = new Date('2026-05-20T17:00:00Z');
    expect(readTime('90m', now)).toEqual(new Date('2026-05-20T15:30:00Z'));
    expect(readTime('36h', now)).toEqual(new Date('2026-05-19T05:00:00Z'));
    expect(readTime('7d', now)).toEqual(new Date('2026-05-13T17:00:00Z'));
    expect(readTime('2026-05-01', now)).toEqual(new Date('2026-05-01T00:00:00Z'));
    expect(readTime('2026-05-01T10:00:00+02:00', now)).toEqual(new Date('2026-05-01T08:00:00Z'));
    for (const text of ['yesterday', '5', '2026-13-41', ''])
      expect(codeOf(() => readTime(text, now))).toBe('no_such_time');
  });
});

describe('letters that are worked through', () => {
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let source: DataSource;
  const store = new PostgresDeadLetterStore();

  beforeAll(async () => {
    database = await emptyDatabase();
    source = createDataSource({
      url: database.url,
      schema: 'public',
      entities: [],
      migrations: [],
      applicationName: 'spec',
    });
    await source.initialize();
    await source.query(outboxMigrationSql());
    await source.query(deadLettersMigrationSql());
  });
  afterAll(async () => {
    await source?.destroy();
    await database?.drop();
  });
  beforeEach(() => source.query('TRUNCATE outbox, dead_letters RESTART IDENTITY'));

  const letter = (changes: Partial<DeadLetter> = {}, organizationId = 7): DeadLetter => ({
    queue: 'ingest.pushes',
    raw: null,
    code: 'too_many_deliveries',
    detail: 'it was too much',
    handler: 'Spec',
    deliveries: 5,
    envelope: {
      id: randomUUID(),
      type: 'gateway.push-received',
      version: 1,
      organizationId,
      key: 'k',
      occurredAt: '2026-01-01T00:00:00Z',
      correlationId: 'c',
      causationId: null,
      traceparent: null,
      contentHash: null,
      contentEncoding: 'identity',
      meta: null,
      body: Buffer.from('{}'),
    },
    ...changes,
  });
  const die = (...letters: DeadLetter[]) => source.transaction((tx) => store.record(tx, letters));
  const outboxIds = async () =>
    (await source.query<{ id: string }[]>(`SELECT envelope ->> 'id' AS id FROM outbox ORDER BY id`)).map(
      ({ id }) => id,
    );
  const fast = { rate: 100_000, limit: null };

  it('go out once each, though the first run ends half way', async () => {
    const letters = Array.from({ length: 130 }, () => letter());
    await die(...letters);
    const stopping = new AbortController();
    const first = await workThrough(
      'replay',
      source,
      {},
      { ...fast, stopping: stopping.signal, onProgress: () => stopping.abort() },
    );
    expect(first).toBe(50);
    expect(await workThrough('replay', source, {}, fast)).toBe(80);
    expect(await workThrough('replay', source, {}, fast)).toBe(0);
    expect((await outboxIds()).sort()).toEqual(letters.map(({ envelope }) => envelope!.id).sort());
  });

  it('are shared by two runs at once', async () => {
    await die(...Array.from({ length: 120 }, () => letter()));
    const counts = await Promise.all([1, 2].map(() => workThrough('replay', source, {}, fast)));
    const rest = await workThrough('replay', source, {}, fast);
    expect(counts[0]! + counts[1]! + rest).toBe(120);
    expect(new Set(await outboxIds()).size).toBe(120);
    expect(await outboxIds()).toHaveLength(120);
  });

  it('are not taken a second time by the same run when their messages die again', async () => {
    const mortal = letter();
    await die(mortal, letter());
    const done = await workThrough('replay', source, {}, { rate: 4, limit: null, onProgress: () => void die(mortal) });
    expect(done).toBe(2);
    expect(await store.countOpen(source.manager)).toBe(1);
  });

  it('go no faster than they are told to', async () => {
    await die(...Array.from({ length: 30 }, () => letter()));
    const begun = performance.now();
    await workThrough('replay', source, {}, { rate: 60, limit: null });
    expect(performance.now() - begun).toBeGreaterThan(450);
  });

  it('are those that all filters leave, and no more than the limit', async () => {
    await die(letter(), letter({ code: 'data_rejected' }), letter({ queue: 'ingest.sites' }), letter({}, 8), letter());
    await source.query(`UPDATE dead_letters SET failed_at = now() - interval '2 days' WHERE id = 1`);
    const count = (filter: object) => store.countOpen(source.manager, filter);
    const aDayAgo = new Date(Date.now() - 86_400_000);
    expect(
      await Promise.all([
        count({ before: aDayAgo }),
        count({ since: aDayAgo }),
        count({ organizationId: 8 }),
        count({ code: 'data_rejected' }),
        count({ queue: 'ingest.sites' }),
        count({ upTo: 2 }),
      ]),
    ).toEqual([1, 4, 1, 1, 1, 2]);
    expect(
      await workThrough('discard', source, { code: 'too_many_deliveries', organizationId: 7 }, { ...fast, limit: 2 }),
    ).toBe(2);
    expect(
      await source.query('SELECT id, resolution FROM dead_letters WHERE resolution IS NOT NULL ORDER BY id'),
    ).toEqual([
      { id: 1, resolution: 'discarded' },
      { id: 3, resolution: 'discarded' },
    ]);
    expect(await outboxIds()).toEqual([]);
  });

  it('stay when nothing of them could be read, but can be discarded', async () => {
    await die(letter({ envelope: null, raw: { what: 'ever' }, code: 'malformed_entry' }));
    expect(await store.groups(source.manager)).toMatchObject([{ code: 'malformed_entry', letters: 1, replayable: 0 }]);
    expect(await workThrough('replay', source, {}, fast)).toBe(0);
    expect(await workThrough('discard', source, {}, fast)).toBe(1);
  });

  it('can be looked at whole, and go for good when they were decided upon long ago', async () => {
    await die(letter(), letter());
    expect(await store.find(source.manager, 1)).toMatchObject({
      code: 'too_many_deliveries',
      resolution: null,
      body: Buffer.from('{}'),
      envelope: { key: 'k' },
    });
    expect(await store.find(source.manager, 99)).toBeNull();
    await workThrough('discard', source, { ids: [1] }, fast);
    expect(await store.forget(source.manager, new Date(Date.now() - 60_000), 10)).toBe(0);
    expect(await store.forget(source.manager, new Date(Date.now() + 60_000), 10)).toBe(1);
    expect(await store.countOpen(source.manager)).toBe(1);
  });
});
