import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import Type from 'typebox';
import type { DataSource } from 'typeorm';
import { defineEvent, organizationChanged, pushReceived, QUEUES, type EventBody } from '#libs/contracts';
import { createDataSource, TypeOrmUnitOfWork } from '#libs/database';
import {
  AdmissionClosedError,
  DoubtfulPublishError,
  type DeadLetter,
  type Envelope,
  type Publisher,
} from '#libs/streams';
import { emptyDatabase, eventually } from '#libs/testing';
import { PostgresDeadLetterStore } from './dead-letter-store.js';
import { InvalidEventError } from './invalid-event.js';
import { NudgingUnitOfWork } from './nudging-unit-of-work.js';
import { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.js';
import { deadLettersMigrationSql, outboxMigrationSql } from './schema.js';
import { TableOutbox } from './table-outbox.js';

const noted = defineEvent({
  type: 'spec.noted',
  version: 1,
  schema: Type.Object({ n: Type.Integer(), text: Type.Optional(Type.String()) }),
  queues: [QUEUES.reportingCatalog],
});
const broadcast = defineEvent({
  ...noted,
  type: 'spec.broadcast',
  queues: [QUEUES.reportingCatalog, QUEUES.notifierIdentity],
});

/** A broker that remembers, and refuses what the test says. */
class RecordingPublisher implements Publisher {
  readonly published: { queue: string; envelope: Envelope }[] = [];
  refuse: (queue: string) => Error | undefined = () => undefined;
  afterAppend: () => Promise<void> = async () => undefined;

  async publish(queue: string, envelopes: readonly Envelope[]): Promise<void> {
    const refusal = this.refuse(queue);
    if (refusal) throw refusal;
    this.published.push(...envelopes.map((envelope) => ({ queue, envelope })));
    await this.afterAppend();
  }

  numbers(queue: string = QUEUES.reportingCatalog.name): number[] {
    return this.published
      .filter((entry) => entry.queue === queue)
      .map(({ envelope }) => JSON.parse(envelope.body.toString()).n);
  }
}

describe('the outbox', () => {
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let dataSource: DataSource;
  let unitOfWork: TypeOrmUnitOfWork;
  let publisher: RecordingPublisher;
  const outbox = new TableOutbox();
  const relays: OutboxRelay[] = [];

  beforeAll(async () => {
    database = await emptyDatabase();
    dataSource = createDataSource({
      url: database.url,
      schema: 'public',
      entities: [],
      migrations: [],
      applicationName: 'spec',
    });
    await dataSource.initialize();
    await dataSource.query(outboxMigrationSql());
    await dataSource.query(deadLettersMigrationSql());
    unitOfWork = new TypeOrmUnitOfWork(dataSource);
  });
  beforeEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await dataSource.query('TRUNCATE outbox, dead_letters');
    publisher = new RecordingPublisher();
  });
  afterAll(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await dataSource.destroy();
    await database.drop();
  });

  const relay = (options: Partial<OutboxRelayOptions> = {}): OutboxRelay => {
    const made = new OutboxRelay({
      url: database.url,
      schema: 'public',
      publisher,
      idleMs: 20,
      standbyMs: 20,
      ...options,
    });
    relays.push(made);
    made.start();
    return made;
  };
  const note = (n: number, key = 'k', event = noted) => ({ event, organizationId: 7, key, body: { n } });
  const send = (...numbers: number[]) =>
    unitOfWork.run((tx) =>
      outbox.add(
        tx,
        numbers.map((n) => note(n)),
      ),
    );
  const left = async (): Promise<number> => (await dataSource.query('SELECT count(*) AS rows FROM outbox'))[0].rows;
  const endRelaySessions = () =>
    dataSource.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'public-outbox-relay' AND datname = current_database()",
    );

  describe(TableOutbox.name, () => {
    it('writes one row for each event and subscriber, all copies of an event under one id', async () => {
      await unitOfWork.run((tx) => outbox.add(tx, [note(1), note(2, 'k', broadcast)]));
      const rows = await dataSource.query('SELECT queue, key, organization_id, envelope FROM outbox ORDER BY id');
      expect(rows.map((row: { queue: string }) => row.queue)).toEqual([
        'reporting.catalog',
        'reporting.catalog',
        'notifier.identity',
      ]);
      expect(rows[1].envelope.id).toBe(rows[2].envelope.id);
      expect(rows[1].envelope.id).not.toBe(rows[0].envelope.id);
      expect(rows[0].envelope.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      expect(rows[0]).toMatchObject({ key: 'k', organization_id: 7 });
    });

    it('writes nothing when the transaction rolls back', async () => {
      const failed = unitOfWork.run(async (tx) => {
        await outbox.add(tx, [note(1)]);
        throw new Error('no');
      });
      await expect(failed).rejects.toThrow('no');
      expect(await left()).toBe(0);
    });

    it('refuses a body that breaks its contract, formats included, and names the member', async () => {
      const body: EventBody<typeof organizationChanged> = {
        organization_id: 1,
        organization_uuid: 'not-a-uuid',
        name: 'Acme',
        time_zone: 'Europe/Berlin',
        removed_at: null,
        revision: 1,
      };
      const wrong = { event: organizationChanged, organizationId: 1, key: 'k', body };
      await expect(unitOfWork.run((tx) => outbox.add(tx, [note(1), wrong]))).rejects.toThrow(
        /organization-changed .*organization_uuid/,
      );
      expect(await left()).toBe(0);
      const yesterday = { ...body, organization_uuid: '0190b2a0-0000-7000-8000-000000000000', removed_at: 'yesterday' };
      await expect(unitOfWork.run((tx) => outbox.add(tx, [{ ...wrong, body: yesterday }]))).rejects.toThrow(
        InvalidEventError,
      );
    });

    it('refuses the event that goes straight to its stream', async () => {
      const push = { event: pushReceived, organizationId: 1, key: 'k', body: {} as EventBody<typeof pushReceived> };
      await expect(unitOfWork.run((tx) => outbox.add(tx, [push]))).rejects.toThrow('straight to its stream');
    });

    it('compresses a long body and leaves a short one alone', async () => {
      const text = 'long '.repeat(1000);
      await unitOfWork.run((tx) => outbox.add(tx, [note(1), { ...note(2), body: { n: 2, text } }]));
      relay();
      await eventually(() => publisher.published.length === 2, { what: 'both events' });
      const [short, long] = publisher.published.map(({ envelope }) => envelope);
      expect(short).toMatchObject({
        contentEncoding: 'identity',
        type: 'spec.noted',
        version: 1,
        organizationId: 7,
        key: 'k',
        meta: null,
      });
      expect(short!.body.toString()).toBe('{"n":1}');
      expect(long!.contentEncoding).toBe('gzip');
      expect(long!.body.length).toBeLessThan(200);
      expect(JSON.parse(gunzipSync(long!.body).toString())).toEqual({ n: 2, text });
    });
  });

  describe(OutboxRelay.name, () => {
    it('carries many more rows than a batch, in the order written, and leaves nothing', async () => {
      for (let from = 0; from < 1000; from += 250) await send(...Array.from({ length: 250 }, (_, i) => from + i));
      relay({ batchSize: 64 });
      await eventually(async () => (await left()) === 0, { what: 'the outbox to be empty' });
      expect(publisher.numbers()).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    });

    it('removes the rows of many queues side by side, none waiting in the driver for another, which it gives up', async () => {
      const everywhere = defineEvent({ ...noted, type: 'spec.everywhere', queues: Object.values(QUEUES) });
      const original = pg.Client.prototype.query;
      const waiting: number[] = [];
      const query = jest.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
        this: unknown,
        ...args: unknown[]
      ) {
        waiting.push((this as { _queryQueue: unknown[] })._queryQueue.length);
        return Reflect.apply(original, this, args) as never;
      });
      try {
        for (let n = 0; n < 5; n++) await unitOfWork.run((tx) => outbox.add(tx, [note(n, 'k', everywhere)]));
        relay();
        await eventually(async () => (await left()) === 0, { what: 'the empty outbox' });
      } finally {
        query.mockRestore();
      }
      expect(publisher.published).toHaveLength(5 * Object.keys(QUEUES).length);
      expect(waiting.length).toBeGreaterThan(Object.keys(QUEUES).length);
      expect(Math.max(...waiting)).toBe(0);
    });

    it('takes no more bytes at once than it may, but always one row', async () => {
      const sizes: number[] = [];
      const publish = publisher.publish.bind(publisher);
      publisher.publish = async (queue, envelopes) => {
        sizes.push(envelopes.length);
        await publish(queue, envelopes);
      };
      await send(0, 1, 2, 3, 4);
      relay({ batchBytes: 10 });
      await eventually(async () => (await left()) === 0);
      expect(sizes).toEqual([2, 2, 1]);
    });

    it('is quick after a nudge, however long it would have paused', async () => {
      const made = relay({ idleMs: 60_000 });
      const nudging = new NudgingUnitOfWork(unitOfWork, outbox, made);
      await eventually(() => made.health().detail === 'leading');
      for (let n = 0; n < 5; n++) {
        await nudging.run((tx) => outbox.add(tx, [note(n)]));
        await eventually(() => publisher.published.length === n + 1, {
          timeoutMs: 5_000,
          everyMs: 2,
          what: `event ${n}`,
        });
      }
    });

    it('sees rows of a transaction that commits after later ones', async () => {
      const late = dataSource.createQueryRunner();
      await late.startTransaction();
      await outbox.add(late.manager, [note(1, 'late')]);
      await send(2);
      relay();
      await eventually(() => publisher.numbers().includes(2), { what: 'the later row' });
      expect(publisher.numbers()).toEqual([2]);
      await late.commitTransaction();
      await late.release();
      await eventually(() => publisher.numbers().includes(1), { what: 'the row of the late transaction' });
    });

    it('lets one lead and the other take over when the leader ends', async () => {
      const first = relay();
      await eventually(() => first.health().detail === 'leading');
      const second = relay();
      await eventually(() => second.health().detail === 'standing by');
      await Promise.all(Array.from({ length: 40 }, (_, n) => send(n)));
      await eventually(async () => (await left()) === 0);
      expect(publisher.numbers().sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
      await first.stop();
      await send(40);
      await eventually(() => publisher.numbers().includes(40), { what: 'the second relay to lead' });
    });

    it('sends again under the same id when it loses its database between publishing and deleting', async () => {
      let hit = false;
      publisher.afterAppend = async () => {
        if (hit) return;
        hit = true;
        await endRelaySessions();
      };
      await send(1, 2);
      relay();
      await eventually(async () => (await left()) === 0, { what: 'the rows to be sent again' });
      expect(publisher.numbers()).toEqual([1, 2, 1, 2]);
      const ids = publisher.published.map(({ envelope }) => envelope.id);
      expect(ids.slice(2)).toEqual(ids.slice(0, 2));
    });

    it('keeps what the broker refuses, goes on with the other queues, and catches up in order', async () => {
      publisher.refuse = (queue) => (queue === 'reporting.catalog' ? new DoubtfulPublishError('no answer') : undefined);
      await unitOfWork.run((tx) => outbox.add(tx, [note(1, 'k', broadcast), note(2, 'k', broadcast)]));
      const made = relay();
      await eventually(() => publisher.numbers('notifier.identity').length === 2, { what: 'the open queue' });
      expect(publisher.numbers()).toEqual([]);
      await eventually(async () => (await left()) === 2, { what: 'the rows of the closed queue alone' });
      expect(made.health().detail).toContain('reporting.catalog: no answer');
      await send(3);
      publisher.refuse = () => undefined;
      await eventually(async () => (await left()) === 0, { what: 'the closed queue to open' });
      expect(publisher.numbers()).toEqual([1, 2, 3]);
      expect(publisher.numbers('notifier.identity')).toEqual([1, 2]);
    });

    it('rests as long as a closed admission says', async () => {
      let asked = 0;
      publisher.refuse = () => (asked++, new AdmissionClosedError('hard', 60, 'full'));
      await send(1);
      const made = relay({ idleMs: 5 });
      await eventually(() => asked > 0);
      const before = asked;
      for (let look = 0; look < 20; look++) {
        made.nudge();
        await dataSource.query('SELECT 1');
      }
      expect(asked).toBe(before);
    });

    it('survives a database that is away at the start and one that ends its sessions', async () => {
      const made = relay();
      await eventually(() => made.health().detail === 'leading');
      for (let n = 0; n < 3; n++) {
        await endRelaySessions();
        await send(n);
        await eventually(() => publisher.numbers().includes(n), { what: `event ${n} after a lost session` });
      }
      const lost = new OutboxRelay({ url: 'postgres://nobody@127.0.0.1:1/none', schema: 'public', publisher });
      lost.start();
      await eventually(() => lost.health().detail.startsWith('database:'));
      await lost.stop();
    });

    it('sends before it stops what was committed while its last look was under way', async () => {
      let stopped: Promise<void> | undefined;
      publisher.afterAppend = async () => {
        if (stopped !== undefined) return;
        await unitOfWork.run((tx) => outbox.add(tx, [note(2, 'k', broadcast)]));
        stopped = made.stop();
        throw new DoubtfulPublishError('no answer');
      };
      await send(1);
      const made = relay();
      await eventually(() => stopped !== undefined, { what: 'the look under way' });
      await stopped;
      expect(publisher.numbers('notifier.identity')).toEqual([2]);
    });

    it('sends what is there before it stops, even when it pauses', async () => {
      const made = relay({ idleMs: 60_000, batchSize: 10 });
      await eventually(() => made.health().detail === 'leading');
      await send(...Array.from({ length: 35 }, (_, n) => n));
      await made.stop();
      expect(publisher.numbers()).toHaveLength(35);
      expect(await left()).toBe(0);
    });

    it('stops in bounded time while the broker hangs, and keeps the rows', async () => {
      // It hangs until well after the relay was told to stop, however long that took.
      let goOn: (() => void) | undefined;
      publisher.afterAppend = () => new Promise((resolve) => (goOn = resolve));
      await send(1);
      const made = relay();
      await eventually(() => goOn !== undefined, { what: 'the broker to hang' });
      const from = performance.now();
      setTimeout(() => goOn!(), 300);
      await made.stop(100);
      expect(performance.now() - from).toBeLessThan(2_000);
      expect(await left()).toBe(1);
    });
  });

  describe(PostgresDeadLetterStore.name, () => {
    const store = new PostgresDeadLetterStore();
    const envelope = (id: string, changes: Partial<Envelope> = {}): Envelope => ({
      id,
      type: 'spec.noted',
      version: 1,
      organizationId: 7,
      key: 'k',
      occurredAt: '2026-01-01T00:00:00Z',
      correlationId: 'c',
      causationId: null,
      traceparent: null,
      contentHash: null,
      contentEncoding: 'identity',
      meta: { a: 1 },
      body: Buffer.from([0, 255, 1]),
      ...changes,
    });
    const letter = (id: string, changes: Partial<DeadLetter> = {}): DeadLetter => ({
      envelope: envelope(id),
      queue: 'reporting.catalog',
      raw: null,
      code: 'invalid_schema',
      detail: '/n: must be integer',
      handler: 'Spec',
      deliveries: 5,
      ...changes,
    });
    const record = (...letters: DeadLetter[]) => unitOfWork.run((tx) => store.record(tx, letters));

    it('keeps one open letter a message, however often it dies', async () => {
      await record(letter('a'), letter('a'), letter('b'));
      await record(letter('a', { deliveries: 6 }));
      const open = await unitOfWork.run((tx) => store.list(tx));
      expect(open.map(({ messageId, deliveries }) => [messageId, deliveries])).toEqual([
        ['a', 6],
        ['b', 5],
      ]);
    });

    it('records what Postgres would refuse as text: NUL, lone surrogates, absurd numbers', async () => {
      const vile = envelope('x\0\ud800', {
        type: '\0',
        key: '\0\udfff',
        organizationId: 1e300,
        version: 1.5,
        meta: { '\0': '\ud800' },
      });
      await record(letter('', { envelope: vile, code: 'c\0', detail: 'd\0'.repeat(5000) }));
      await record(letter('', { envelope: null, raw: { 'a\0': '\0' } }));
      const open = await unitOfWork.run((tx) => store.list(tx));
      expect(open).toHaveLength(2);
      expect(open.map(({ replayable }) => replayable)).toEqual([true, false]);
      expect(open[0]).toMatchObject({ organizationId: null, code: 'c\ufffd' });
      const [row] = await dataSource.query('SELECT envelope, body FROM dead_letters WHERE envelope IS NOT NULL');
      expect(row.envelope.meta).toEqual({ '\0': '\ud800' });
      expect(row.body).toEqual(Buffer.from([0, 255, 1]));
    });

    it('replays through the outbox: each letter once, byte for byte, under its old id', async () => {
      await record(
        letter('a'),
        letter('b'),
        letter('c', { queue: 'reporting.identity' }),
        letter('', { envelope: null, raw: {} }),
      );
      const replay = () => unitOfWork.run((tx) => store.replay(tx, outbox, { queue: 'reporting.catalog' }, 1));
      const killed = unitOfWork.run(async (tx) => {
        await store.replay(tx, outbox, {}, 100);
        throw new Error('killed half way');
      });
      await expect(killed).rejects.toThrow('killed');
      expect([await replay(), await replay(), await replay()]).toEqual([1, 1, 0]);
      relay();
      await eventually(() => publisher.published.length === 2, { what: 'the replayed messages' });
      expect(publisher.published.map(({ envelope: sent }) => sent)).toEqual([envelope('a'), envelope('b')]);
      expect(await unitOfWork.run((tx) => store.countOpen(tx))).toBe(2);
    });

    it('opens a new letter when a replayed message dies again, and forgets nothing', async () => {
      await record(letter('a'));
      await unitOfWork.run((tx) => store.replay(tx, outbox));
      await record(letter('a'));
      expect(await unitOfWork.run((tx) => store.countOpen(tx))).toBe(1);
      expect(await unitOfWork.run((tx) => store.discard(tx, { code: 'invalid_schema' }))).toBe(1);
      const rows = await dataSource.query('SELECT resolution FROM dead_letters ORDER BY id');
      expect(rows).toEqual([{ resolution: 'replayed' }, { resolution: 'discarded' }]);
    });
  });
});
