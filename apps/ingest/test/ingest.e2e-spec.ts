import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  pushReceipt,
  pushReceived,
  siteChanged,
  QUEUES,
  type PushReceivedMeta,
  type SiteChanged,
} from '#libs/contracts';
import { createDataSource, expectNoPendingMigration, prepareDatabase, urlForRole } from '#libs/database';
import type { RunningService, ServiceConfig } from '#libs/runtime';
import {
  connectRedis,
  RedisPublisher,
  RpcClient,
  RpcUnavailableError,
  streamKey,
  type Envelope,
  type RedisConnection,
} from '#libs/streams';
import { dropRoles, emptyDatabase, eventually, testRedis, type TestRedis } from '#libs/testing';
import { entities } from '../src/database/entities.js';
import { migrations } from '../src/database/migrations/index.js';
import type { ReceivedPush } from '../src/inventory/apply-inventories.service.js';
import { startIngest } from '../src/start.js';
import { heartbeat, push, siteUuid } from './push-fixtures.js';

describe('ingest, the whole service', () => {
  const role = `patchwatch_ingest_${randomBytes(4).toString('hex')}`;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let admin: pg.Client;
  let redis: TestRedis;
  let connection: RedisConnection;
  let publisher: RedisPublisher;
  let questions: RpcClient;
  let service: RunningService;

  beforeAll(async () => {
    [database, redis] = await Promise.all([emptyDatabase(), testRedis()]);
    await prepareDatabase({
      adminUrl: database.url,
      services: [{ schema: 'ingest', role, password: 'a password of tests', entities, migrations }],
    });
    admin = new pg.Client({ connectionString: database.url, options: '-c search_path=ingest' });
    await admin.connect();
    connection = connectRedis(redis.url, { name: 'test', role: 'streams' });
    await connection.ready();
    publisher = new RedisPublisher({ connection });
    questions = new RpcClient({ url: redis.url, name: 'test', checkOutputs: true });
    await questions.start();
    service = await startIngest(configOf(urlForRole(database.url, role, 'a password of tests'), redis.url));
  });

  afterAll(async () => {
    await service?.stop();
    await questions?.stop();
    await publisher?.close();
    await connection?.close();
    await admin?.end();
    await Promise.all([database?.drop(), redis?.stop()]);
    await dropRoles([role]);
  });

  const send = (...pushes: ReceivedPush[]) => publisher.publish(QUEUES.ingestPushes.name, pushes.map(envelopeOf));
  const receiptOf = (one: ReceivedPush) => questions.call(pushReceipt, { site_id: one.siteId, push_id: one.pushId });
  const settled = (one: ReceivedPush) => eventually(() => receiptOf(one), { what: `a receipt of push ${one.pushId}` });
  const asService = async () => {
    const client = new pg.Client({
      connectionString: urlForRole(database.url, role, 'a password of tests'),
      options: '-c search_path=ingest',
    });
    await client.connect();
    return client;
  };
  const rows = async (sql: string) => (await admin.query(sql)).rows as Record<string, unknown>[];

  it('settles a push, says so, and hands its facts on', async () => {
    const first = push({
      site: 1,
      sequence: 1,
      gzip: true,
      reportedHash: 'hash-of-site-1-aaaa',
      modules: { drupal: '10.3.1', token: '8.x-1.13' },
    });
    await send(first);
    expect(await settled(first)).toMatchObject({
      state: 'applied',
      reason: 'changed',
      changes: 2,
      epoch: 1,
      sequence: 1,
    });
    await eventually(
      async () => (await connection.client.get(`pw:known-inventory:${siteUuid(1)}`)) === 'hash-of-site-1-aaaa',
      {
        what: 'the hash of the inventory in the cache',
      },
    );
    await eventually(async () => (await connection.client.xlen(streamKey(QUEUES.reportingInventory.name, 0))) >= 2, {
      what: 'inventory-changed and sites-heard on the queue of reporting',
    });
    await eventually(async () => (await connection.client.xlen(streamKey(QUEUES.catalogModules.name, 0))) === 1, {
      what: 'modules-seen on the queue of the catalog',
    });
    await eventually(async () => (await connection.client.xlen(streamKey(QUEUES.ingestPushes.name, 0))) === 0, {
      what: 'the empty queue of pushes',
    });
    expect((await service.ready()).ok).toBe(true);
  });

  it('answers null for a push that it has never seen', async () => {
    expect(await questions.call(pushReceipt, { site_id: 1, push_id: randomUUID() })).toBeNull();
  });

  it('puts poison among the dead letters once, with its reason, and applies its neighbours', async () => {
    const before = push({ site: 2, sequence: 1, modules: { token: '8.x-1.13' } });
    const bad = push({ site: 3, sequence: 1, members: { modules: [{ project: 'token', version: '1.0\u0000' }] } });
    const after = push({ site: 4, sequence: 1, modules: { token: '8.x-1.13' } });
    await send(before, bad, bad, after);
    expect(await settled(bad)).toMatchObject({ state: 'dead', reason: 'invalid_inventory', sequence: 1 });
    expect(await settled(before)).toMatchObject({ state: 'applied' });
    expect(await settled(after)).toMatchObject({ state: 'applied' });
    expect(await rows('SELECT code, count(*)::int AS letters FROM dead_letters GROUP BY code')).toEqual([
      { code: 'invalid_inventory', letters: 1 },
    ]);
    expect(await rows('SELECT * FROM receipts WHERE site_id = 3')).toEqual([]);
  });

  it('ends the inventory of a removed site and takes no push of it, until the registry brings it back', async () => {
    const live = push({ site: 5, sequence: 1, reportedHash: 'hash-of-site-5-aaaa', modules: { token: '8.x-1.13' } });
    await send(live);
    await settled(live);
    // It is written after the commit: not before the removal takes it away.
    await eventually(
      async () => (await connection.client.get(`pw:known-inventory:${siteUuid(5)}`)) === 'hash-of-site-5-aaaa',
      { what: 'the hash of the inventory in the cache' },
    );
    await publisher.publish(QUEUES.ingestSites.name, [siteEnvelope(5, '2026-05-22T10:00:00.000Z', 2)]);
    await eventually(
      async () => (await rows('SELECT 1 FROM site_modules WHERE site_id = 5 AND valid_to IS NULL')).length === 0,
      {
        what: 'the end of what site 5 had installed',
      },
    );
    expect(await rows('SELECT valid_to, end_sequence FROM site_modules WHERE site_id = 5')).toEqual([
      { valid_to: new Date('2026-05-22T10:00:00Z'), end_sequence: null },
    ]);
    await eventually(async () => (await connection.client.exists(`pw:known-inventory:${siteUuid(5)}`)) === 0, {
      what: 'the cache to forget site 5',
    });
    const late = push({ site: 5, sequence: 2, modules: { token: '8.x-1.14' } });
    const beat = heartbeat({ site: 5, sequence: 3, reportedHash: 'hash-of-site-5-aaaa' });
    await send(late, beat);
    expect(await settled(late)).toMatchObject({ state: 'dead', reason: 'site_removed' });
    expect(await settled(beat)).toMatchObject({ state: 'dead', reason: 'site_removed' });

    // An old fact that arrives late brings nothing back; a newer one does.
    await publisher.publish(QUEUES.ingestSites.name, [siteEnvelope(5, null, 1), siteEnvelope(5, null, 3)]);
    await eventually(
      async () => (await rows('SELECT 1 FROM site_states WHERE site_id = 5 AND removed_at IS NULL')).length === 1,
      {
        what: 'site 5 to be back',
      },
    );
    const back = push({ site: 5, sequence: 4, modules: { token: '8.x-1.14' } });
    await send(back);
    expect(await settled(back)).toMatchObject({ state: 'applied', changes: 1 });
    expect(await rows('SELECT version FROM site_modules WHERE site_id = 5 AND valid_to IS NULL')).toEqual([
      { version: '8.x-1.14' },
    ]);
  });

  it('knows of a removal that came before the first push', async () => {
    await publisher.publish(QUEUES.ingestSites.name, [
      siteEnvelope(6, '2026-05-22T10:00:00.000Z', 2),
      siteEnvelope(6, null, 1),
    ]);
    await eventually(async () => (await rows('SELECT 1 FROM site_states WHERE site_id = 6')).length === 1, {
      what: 'site 6',
    });
    const late = push({ site: 6, sequence: 1, modules: { token: '8.x-1.14' } });
    await send(late);
    expect(await settled(late)).toMatchObject({ state: 'dead', reason: 'site_removed' });
  });

  it('keeps what was sent in the partition of its day, made by a role that may make no tables', async () => {
    const days = await rows(`SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'raw_pushes'::regclass`);
    expect(days).toEqual([{ n: 16 }]);
    const receivedAt = new Date().toISOString();
    const now = push({ site: 7, sequence: 1, receivedAt, modules: { token: '8.x-1.14' } });
    await send(now);
    await settled(now);
    const [row] = await rows(`SELECT tableoid::regclass::text AS partition FROM raw_pushes WHERE site_id = 7`);
    expect(row!['partition']).toBe(`raw_pushes_${receivedAt.slice(0, 10).replaceAll('-', '_')}`);
    const app = await asService();
    try {
      await expect(app.query('CREATE TABLE mine ()')).rejects.toThrow(/permission denied/);
      // Rows of a day nobody made a partition for wait in the default one and move.
      await admin.query(`INSERT INTO raw_pushes (site_id, push_id, received_at, organization_id, content_encoding, body)
                         VALUES (8, gen_random_uuid(), date_trunc('day', now()) + interval '15 days 3 hours', 7, 'identity', '')`);
      expect((await app.query('SELECT ensure_partitions(15) AS made')).rows).toEqual([{ made: 1 }]);
      expect((await app.query('SELECT ensure_partitions(15) AS made')).rows).toEqual([{ made: 0 }]);
      const [moved] = await rows(`SELECT tableoid::regclass::text AS partition FROM raw_pushes WHERE site_id = 8`);
      expect(moved!['partition']).toMatch(/^raw_pushes_\d{4}_\d{2}_\d{2}$/);
    } finally {
      await app.end();
    }
  });

  it('drops the days that are over for longer than they are kept, and no other, by a role that may drop no tables', async () => {
    await admin.query(`DO $$ BEGIN
      FOR ago IN 29..31 LOOP
        EXECUTE format('CREATE TABLE raw_pushes_%s PARTITION OF raw_pushes FOR VALUES FROM (%L) TO (%L)',
          to_char(now() AT TIME ZONE 'UTC' - make_interval(days => ago), 'YYYY_MM_DD'),
          date_trunc('day', now(), 'UTC') - make_interval(days => ago), date_trunc('day', now(), 'UTC') - make_interval(days => ago - 1));
      END LOOP;
    END $$`);
    const count = async () =>
      (await rows(`SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'raw_pushes'::regclass`))[0]!['n'];
    const before = await count();
    const app = await asService();
    try {
      await expect(app.query('DROP TABLE raw_pushes_default')).rejects.toThrow(/must be owner/);
      await expect(app.query('SELECT drop_partitions(0)')).rejects.toThrow(/at least 1/);
      expect((await app.query('SELECT drop_partitions(30) AS dropped')).rows).toEqual([{ dropped: 1 }]);
      expect(await count()).toBe((before as number) - 1);
    } finally {
      await app.end();
    }
  });

  it('has migrations that build exactly what its entities describe', async () => {
    const dataSource = createDataSource({
      url: database.url,
      schema: 'ingest',
      entities,
      migrations,
      applicationName: 'test',
    });
    await dataSource.initialize();
    try {
      await expectNoPendingMigration(dataSource);
    } finally {
      await dataSource.destroy();
    }
  });

  it('starts anew in the same process after an orderly stop, and takes what came meanwhile', async () => {
    await service.stop();
    const meanwhile = push({ site: 9, sequence: 1, modules: { token: '8.x-1.14' } });
    await send(meanwhile);
    service = await startIngest(configOf(urlForRole(database.url, role, 'a password of tests'), redis.url));
    expect(await settled(meanwhile)).toMatchObject({ state: 'applied' });
  });

  it('buries no push whose acknowledgement died five times: it was applied', async () => {
    const first = push({ site: 11, sequence: 1, modules: { token: '8.x-1.14' } });
    await send(first);
    expect(await settled(first)).toMatchObject({ state: 'applied' });
    const key = streamKey(QUEUES.ingestPushes.name, 0);
    await eventually(async () => (await connection.client.xlen(key)) === 0, { what: 'the empty queue' });
    await service.stop();
    // The same message once more, as it stands in the pending list of a process that has died for the fourth time.
    const unknown = push({ site: 12, sequence: 1, modules: { token: '8.x-1.14' } });
    await send(first, unknown);
    const [[, entries]] = (await connection.client.xreadgroup(
      'GROUP',
      'workers',
      'ghost',
      'COUNT',
      10,
      'STREAMS',
      key,
      '>',
    )) as unknown as [[string, [string, string[]][]]];
    for (const [id] of entries)
      await connection.client.call('XCLAIM', key, 'workers', 'waiting', 0, id, 'IDLE', 3_600_000, 'RETRYCOUNT', 4);
    service = await startIngest(configOf(urlForRole(database.url, role, 'a password of tests'), redis.url));
    await eventually(async () => (await connection.client.xlen(key)) === 0, {
      what: 'the end of both messages',
      timeoutMs: 15_000,
    });
    expect(await receiptOf(first)).toMatchObject({ state: 'applied' });
    expect(await receiptOf(unknown)).toMatchObject({ state: 'dead', reason: 'too_many_deliveries' });
    expect(await rows(`SELECT count(*)::int AS n FROM dead_letters WHERE message_id = '${first.messageId}'`)).toEqual([
      { n: 0 },
    ]);
  });

  it('says that it is unavailable when its database is away, and answers again when it is back', async () => {
    const server = new pg.Client({ connectionString: process.env['PATCHWATCH_TEST_DATABASE_URL'] });
    await server.connect();
    const name = new URL(database.url).pathname.slice(1);
    try {
      await server.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
      await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = $2', [
        name,
        role,
      ]);
      const answer = await questions
        .call(pushReceipt, { site_id: 1, push_id: randomUUID() })
        .catch((error: unknown) => error);
      expect(answer).toBeInstanceOf(RpcUnavailableError);
      expect((answer as Error).message).toContain('ingest');
    } finally {
      await server.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
      await server.end();
    }
    await eventually(
      async () =>
        (await questions.call(pushReceipt, { site_id: 1, push_id: randomUUID() }).catch(() => 'away')) === null,
      { what: 'an answer' },
    );
  });
});

function configOf(databaseUrl: string, redisUrl: string): ServiceConfig {
  return {
    service: 'ingest',
    databaseUrl,
    streamsUrl: redisUrl,
    cacheUrl: redisUrl,
    host: '127.0.0.1',
    port: 0,
    healthPort: 0,
    partitions: 1,
    upstreamUrl: 'http://127.0.0.1:1',
    logLevel: 'error',
    secrets: { jwtSecret: '', pepper: '' },
    env: {},
  };
}

function envelopeOf(one: ReceivedPush): Envelope {
  const meta: PushReceivedMeta = {
    push_id: one.pushId,
    site_id: one.siteId,
    site_uuid: one.siteUuid,
    organization_id: one.organizationId,
    kind: one.kind,
    epoch: one.epoch,
    sequence: one.sequence,
    complete: one.complete,
    collected_at: new Date(one.collectedAt).toISOString(),
    received_at: new Date(one.receivedAt).toISOString(),
    inventory_hash: one.reportedHash,
  };
  return {
    ...facts(pushReceived.type, one.siteUuid, one.organizationId),
    id: one.messageId,
    contentEncoding: one.contentEncoding,
    meta,
    body: one.body,
  };
}

function siteEnvelope(site: number, removedAt: string | null, revision: number): Envelope {
  const body: SiteChanged = {
    site_id: site,
    site_uuid: siteUuid(site),
    organization_id: 7,
    organization_uuid: randomUUID(),
    name: 'A site',
    url: 'https://example.org',
    environment: 'prod',
    created_at: '2026-01-01T00:00:00Z',
    removed_at: removedAt,
    revision,
  };
  return {
    ...facts(siteChanged.type, siteUuid(site), 7),
    id: randomUUID(),
    contentEncoding: 'identity',
    meta: null,
    body: Buffer.from(JSON.stringify(body)),
  };
}

function facts(type: string, key: string, organizationId: number) {
  return {
    type,
    version: 1,
    organizationId,
    key,
    occurredAt: '2026-05-20T17:00:00.000Z',
    correlationId: randomUUID(),
    causationId: null,
    traceparent: null,
    contentHash: null,
  };
}
