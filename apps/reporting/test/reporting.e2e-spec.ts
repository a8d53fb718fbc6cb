import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  advisoryChanged,
  dashboardOverview,
  inventoryChanged,
  listExposures,
  listModules,
  listSites,
  moduleDetail,
  moduleReleasesChanged,
  organizationChanged,
  patchProgress,
  reportingProgress,
  siteChanged,
  siteModules,
  sitesHeard,
  type EventBody,
  type EventDefinition,
} from '#libs/contracts';
import { newId, type RunningService, type ServiceConfig } from '#libs/runtime';
import {
  connectRedis,
  RedisPublisher,
  RpcClient,
  RpcUnavailableError,
  type Envelope,
  type RedisConnection,
} from '#libs/streams';
import { eventually, TcpProxy, testDatabase, testRedis, type TestDatabase, type TestRedis } from '#libs/testing';
import { entities } from '../src/database/entities.js';
import { migrations } from '../src/database/migrations/index.js';
import { startReporting } from '../src/start.js';
import { advisory, change, inventory, organization, releases, site, uuidOf } from './facts.js';

const EVERYTHING = { organization_ids: null };
const PAGE = { page: 1, per_page: 25 };

describe('reporting, with real streams and a real database', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  /** The service's way to the database. */
  let link: TcpProxy;
  let service: RunningService;
  let connection: RedisConnection;
  let publisher: RedisPublisher;
  let questions: RpcClient;

  beforeAll(async () => {
    [database, redis] = await Promise.all([testDatabase({ schema: 'reporting', entities, migrations }), testRedis()]);
    link = await TcpProxy.before(Number(new URL(database.url).port || 5432), 'postgres');
    const config: ServiceConfig = {
      service: 'reporting',
      databaseUrl: link.through(database.url),
      streamsUrl: redis.url,
      cacheUrl: redis.url,
      host: '127.0.0.1',
      port: 0,
      healthPort: 0,
      partitions: 2,
      upstreamUrl: 'http://127.0.0.1:1',
      logLevel: 'silent',
      secrets: { jwtSecret: '', pepper: '' },
      env: {},
    };
    service = await startReporting(config);
    connection = connectRedis(redis.url, { name: 'test', role: 'streams' });
    publisher = new RedisPublisher({
      connection,
      partitionsOf: (queue) => (queue === 'reporting.inventory' ? 2 : 1),
    });
    await publisher.ready();
    questions = new RpcClient({ url: redis.url, name: 'test', checkOutputs: true });
    await questions.start();
  }, 60_000);

  afterAll(async () => {
    await questions?.stop();
    await service?.stop();
    await link?.close();
    await publisher?.close();
    await connection?.close();
    await redis?.stop();
    await database?.drop();
  });

  /** To all queues of the event, as an outbox relay would. */
  async function publish<D extends EventDefinition>(event: D, key: string, body: EventBody<D>): Promise<void> {
    const envelope: Envelope = {
      id: newId(),
      type: event.type,
      version: event.version,
      organizationId: 1,
      key,
      occurredAt: new Date().toISOString(),
      correlationId: newId(),
      causationId: null,
      traceparent: null,
      contentHash: null,
      contentEncoding: 'identity',
      meta: null,
      body: Buffer.from(JSON.stringify(body)),
    };
    for (const queue of event.queues) {
      if (queue.subscriber === 'reporting') await publisher.publish(queue.name, [envelope]);
    }
  }

  it('turns facts that come in any order into one exposure, and answers every question about it', async () => {
    const siteKey = uuidOf('site', 7);
    await publish(
      inventoryChanged,
      siteKey,
      inventory(7, 1, '2026-05-01', [change('token', '8.x-1.5'), change('drupal', '10.6.7')], {
        core_version: '10.6.7',
      }),
    );
    await publish(
      advisoryChanged,
      'token',
      advisory('SA-CONTRIB-2026-001', 'token', '<1.6', '2026-05-20', { fixed: ['8.x-1.6'] }),
    );
    await publish(
      moduleReleasesChanged,
      'token',
      releases('token', '8.x-1.', [
        { version: '8.x-1.6', date: '2026-05-20', terms: ['Security update'] },
        { version: '8.x-1.5', date: '2024-01-01', terms: ['Insecure'] },
      ]),
    );
    await publish(siteChanged, siteKey, site(7));
    await publish(organizationChanged, uuidOf('organization', 1), organization());
    await publish(sitesHeard, siteKey, {
      sites: [
        {
          site_id: 7,
          organization_id: 1,
          heard_at: new Date().toISOString(),
          observed_at: new Date().toISOString(),
          complete: true,
        },
      ],
    });

    const row = await eventually(
      async () => {
        const { items } = await questions.call(listSites, { scope: EVERYTHING, ...PAGE, exposed: true });
        const progress = await questions.call(reportingProgress, {});
        return items[0]?.reporting === 'reporting' && progress.modules_without_history === 1 ? items[0] : null;
      },
      { what: 'the site to be exposed and heard of, and the history of token to arrive' },
    );
    expect(row).toMatchObject({
      id: siteKey,
      name: 'Site 7',
      core_version: '10.6.7',
      modules: 2,
      updates: 1,
      security_updates: 1,
      unknown: 1,
      open_exposures: 1,
      worst_risk: 'critical',
      exposed_since: '2026-05-20T00:00:00.000Z',
    });

    const modules = await questions.call(siteModules, { scope: EVERYTHING, site: siteKey, ...PAGE });
    expect(modules!.items.map(({ module, group, status }) => [module, group, status])).toEqual([
      ['token', 'security', 'not_secure'],
      ['drupal', 'unknown', 'unknown'],
    ]);
    expect(modules!.items[0]).toMatchObject({
      title: 'TOKEN',
      installed_version: '8.x-1.5',
      recommended_version: '8.x-1.6',
      available_since: '2026-05-20T00:00:00.000Z',
      advisories: ['SA-CONTRIB-2026-001'],
      installed_since: '2026-05-01T00:00:00.000Z',
      link: 'https://www.drupal.org/project/token',
    });

    const detail = await questions.call(moduleDetail, { scope: EVERYTHING, module: 'token', ...PAGE });
    expect(detail).toMatchObject({
      recommended_version: '8.x-1.6',
      supported_branches: ['8.x-1.'],
      releases: 2,
      versions: [{ version: '8.x-1.5', sites: 1, status: 'not_secure', advisories: ['SA-CONTRIB-2026-001'] }],
      sites: [{ id: siteKey, installed_version: '8.x-1.5' }],
    });

    const open = await questions.call(listExposures, { scope: EVERYTHING, ...PAGE, state: ['open'] });
    expect(open.items).toMatchObject([
      {
        advisory: 'SA-CONTRIB-2026-001',
        fixed_in: ['8.x-1.6'],
        opened_at: '2026-05-20T00:00:00.000Z',
        closed_at: null,
      },
    ]);

    await publish(
      inventoryChanged,
      siteKey,
      inventory(7, 2, '2026-05-22T12:00:00Z', [change('token', '8.x-1.6')], {
        previous_observed_at: '2026-05-21T00:00:00.000Z',
      }),
    );
    const closed = await eventually(
      async () => (await questions.call(listExposures, { scope: EVERYTHING, ...PAGE, state: ['closed'] })).items[0],
      { what: 'the exposure to close' },
    );
    expect(closed).toMatchObject({
      reason: 'patched',
      closed_at: '2026-05-22T12:00:00.000Z',
      closed_after: '2026-05-21T00:00:00.000Z',
      closed_version: '8.x-1.6',
      days: 2.5,
    });

    const then = await questions.call(dashboardOverview, { scope: EVERYTHING, as_of: '2026-05-21T00:00:00Z' });
    expect(then.sites).toMatchObject({ total: 1, exposed: 1 });
    expect(then.exposures).toMatchObject({ open: 1, open_by_risk: { critical: 1 } });
    const now = await questions.call(dashboardOverview, { scope: EVERYTHING });
    expect(now.sites).toMatchObject({ total: 1, exposed: 0, reporting: 1 });
    expect(now.time_to_patch_days).toMatchObject({ count: 1, median: 2.5 });
    const progress = await questions.call(patchProgress, {
      scope: EVERYTHING,
      published_from: '2026-05-20T00:00:00Z',
      published_before: '2026-05-21T00:00:00Z',
    });
    expect(progress).toMatchObject({
      advisories: ['SA-CONTRIB-2026-001'],
      sites_watched: 1,
      sites_exposed: 1,
      sites_patched: 1,
      days_to_patch: { count: 1, median: 2.5 },
    });
    expect(await questions.call(reportingProgress, {})).toEqual({
      sites: 1,
      modules_without_history: 1,
      inventories_applied: 2,
      advisories: 1,
    });
    const [letters] = await database.dataSource.query('SELECT count(*)::int AS dead FROM dead_letters');
    expect(letters.dead).toBe(0);
  });

  it('tells the notifier once that it opened and once that it closed', async () => {
    const reader = connection.client;
    const entries = await eventually(
      async () => {
        // The relay makes the stream when it tells the first of them.
        const [key] = await reader.keys('*notifier.exposures*');
        const found = key === undefined ? [] : await reader.xrange(key, '-', '+');
        return found.length >= 2 ? found : null;
      },
      { what: 'both to be told' },
    );
    expect(entries).toHaveLength(2);
  });

  it('refuses a sort that it does not know with the names of those it does', async () => {
    await expect(questions.call(listSites, { scope: EVERYTHING, ...PAGE, sort: 'colour' })).rejects.toMatchObject({
      code: 'invalid_sort',
      status: 400,
    });
  });

  it('says that it cannot answer while its database is away, and answers again when it is back', async () => {
    const ask = () => questions.call(listModules, { scope: EVERYTHING, ...PAGE });
    expect((await ask()).items.map(({ module }) => module).sort()).toEqual(['drupal', 'token']);
    link.mode = 'refuse';
    link.reset();
    await expect(ask()).rejects.toBeInstanceOf(RpcUnavailableError);
    link.mode = 'pass';
    await eventually(async () => (await ask().catch(() => null)) !== null, { what: 'an answer again' });
  });
});
