import type { EntityManager } from 'typeorm';
import { customModuleChanged, modulesSeen, QUEUES } from '#libs/contracts';
import type {
  AdvisoryChanged,
  CustomModuleChanged,
  EventDefinition,
  ModuleReleasesChanged,
  RpcDefinition,
  RpcInput,
  RpcOutput,
} from '#libs/contracts';
import { newId, type Clock, type RunningService, type ServiceConfig } from '#libs/runtime';
import { connectRedis, fromFields, RedisPublisher, RpcClient, type RedisConnection } from '#libs/streams';
import { eventually, testDatabase, testRedis, type TestDatabase, type TestRedis } from '#libs/testing';
import { gunzipSync } from 'node:zlib';
import { entities } from '../src/database/entities.js';
import { migrations } from '../src/database/migrations/index.js';
import { startCatalog, type CatalogOverrides } from '../src/start.js';

/** What the catalog told: the bodies in its outbox that wait for reporting. */
export interface Told {
  readonly releases: ModuleReleasesChanged[];
  readonly advisories: AdvisoryChanged[];
}

/** The catalog with a database and a Redis of its own; reporting's queue is read from the stream. */
export interface CatalogBox {
  readonly database: TestDatabase;
  readonly sql: EntityManager;
  start(upstreamUrl: string, overrides?: CatalogOverrides & { env?: Record<string, string> }): Promise<RunningService>;
  /** Says that some site runs `modules`. */
  see(...modules: string[]): Promise<void>;
  /** Says what an organization declared as its own. */
  declare(change: CustomModuleChanged): Promise<void>;
  /** Asks a running catalog, and holds its answer against the contract. */
  ask<D extends RpcDefinition>(question: D, input: RpcInput<D>): Promise<RpcOutput<D>>;
  /** Everything told so far, in order. */
  told(): Promise<Told>;
  /**
   * Waits until nothing is due or being asked for. Before a clock is put forward: what is under way then ends after the jump, and is not due
   * again when the test counts on it.
   */
  atRest(): Promise<void>;
  close(): Promise<void>;
}

export async function catalogBox(clock?: Clock): Promise<CatalogBox> {
  const database = await testDatabase({ schema: 'catalog', entities, migrations });
  const redis: TestRedis = await testRedis();
  const connection: RedisConnection = connectRedis(redis.url, { name: 'test', role: 'streams' });
  await connection.ready();
  const publisher = new RedisPublisher({ connection });
  const running: RunningService[] = [];
  let questions: RpcClient | undefined;
  return {
    database,
    sql: database.dataSource.manager,
    async start(upstreamUrl, { env = {}, ...overrides } = {}) {
      const config: ServiceConfig = {
        service: 'catalog',
        databaseUrl: database.url,
        streamsUrl: redis.url,
        cacheUrl: redis.url,
        host: '127.0.0.1',
        port: 0,
        healthPort: 0,
        partitions: 1,
        upstreamUrl,
        logLevel: 'silent',
        secrets: { jwtSecret: '', pepper: '' },
        env,
      };
      const service = await startCatalog(config, { ...(clock ? { clock } : {}), ...overrides });
      running.push(service);
      return service;
    },
    async see(...modules) {
      await send(publisher, modulesSeen, {
        modules: modules.map((module) => ({ module, type: module === 'drupal' ? 'core' : 'module' })),
      });
    },
    async declare(change) {
      await send(publisher, customModuleChanged, change);
    },
    async ask(question, input) {
      if (!questions) {
        questions = new RpcClient({ url: redis.url, name: 'test', checkOutputs: true });
        await questions.start();
      }
      return await questions.call(question, input);
    },
    async told() {
      return toTold(await readStream(connection));
    },
    async atRest() {
      await eventually(
        async () => {
          const busy: { subject: string }[] = await database.dataSource.query(
            'SELECT subject FROM sync_states WHERE lease_until IS NOT NULL OR next_due <= $1 ORDER BY subject',
            [clock?.now() ?? new Date()],
          );
          if (busy.length > 0) throw new Error(`under way: ${busy.map(({ subject }) => subject).join(', ')}`);
          return true;
        },
        { what: 'nothing to be due or asked for' },
      );
    },
    async close() {
      await questions?.stop();
      for (const service of running) await service.stop();
      await publisher.close();
      await connection.close();
      await redis.stop();
      await database.drop();
    },
  };
}

async function send(publisher: RedisPublisher, event: EventDefinition, body: object): Promise<void> {
  await publisher.publish(QUEUES.catalogModules.name, [
    {
      id: newId(),
      type: event.type,
      version: event.version,
      organizationId: null,
      key: event.type,
      occurredAt: new Date().toISOString(),
      correlationId: newId(),
      causationId: null,
      traceparent: null,
      contentHash: null,
      contentEncoding: 'identity',
      meta: null,
      body: Buffer.from(JSON.stringify(body)),
    },
  ]);
}

interface Entry {
  readonly type: string;
  readonly body: unknown;
}

async function readStream(connection: RedisConnection): Promise<Entry[]> {
  const keys = await connection.run((client) => client.keys(`*${QUEUES.reportingCatalog.name}*`));
  const entries: Entry[] = [];
  for (const key of keys) {
    const kind = await connection.run((client) => client.type(key));
    if (kind !== 'stream') continue;
    const rows = await connection.run((client) => client.xrangeBuffer(key, '-', '+'));
    for (const [, fields] of rows) entries.push(readEntry(fields));
  }
  return entries;
}

function readEntry(fields: Buffer[]): Entry {
  const { type, contentEncoding, body } = fromFields(fields);
  return { type, body: JSON.parse((contentEncoding === 'gzip' ? gunzipSync(body) : body).toString('utf8')) as unknown };
}

function toTold(entries: readonly Entry[]): Told {
  const of = <T>(type: string) => entries.filter((entry) => entry.type.startsWith(type)).map(({ body }) => body as T);
  return { releases: of('catalog.module-releases-changed'), advisories: of('catalog.advisory-changed') };
}
