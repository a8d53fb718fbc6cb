import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { DataSource, EntityManager } from 'typeorm';
import { customModuleChanged, modulesSeen, QUEUES, type ModulesSeen } from '#libs/contracts';
import { createDataSource } from '#libs/database';
import { currentCorrelationId, metrics } from '#libs/runtime';
import {
  LossyStreamsError,
  type BatchContext,
  type BatchHandler,
  type Delivered,
  type UnitOfWork,
} from '#libs/streams';
import { emptyDatabase, eventually, testRedis, type TestRedis } from '#libs/testing';
import { PostgresDeadLetterStore } from './dead-letter-store.js';
import { MessagingModule, OUTBOX, UNIT_OF_WORK } from './messaging.module.js';
import { MessagingRuntime } from './messaging-runtime.js';
import type { Outbox } from './ports.js';
import { erasesData } from './erase-data.consumer.js';
import { QueueHandler } from './queue-handler.js';
import { HandlerWiringError } from './queue-plan.js';
import { deadLettersMigrationSql, outboxMigrationSql } from './schema.js';

/** What the handler does besides remembering; set by the test. */
let behave: (message: Delivered<ModulesSeen>, batch: BatchContext) => void = () => undefined;
let correlations: (string | undefined)[] = [];

@QueueHandler(QUEUES.catalogModules)
@Injectable()
class FollowModules implements BatchHandler<EntityManager, ModulesSeen> {
  readonly handles = [modulesSeen, customModuleChanged].map(({ type, version }) => ({ type, version }));

  constructor(@Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>) {}

  async handle(tx: EntityManager, messages: readonly Delivered<ModulesSeen>[], batch: BatchContext): Promise<void> {
    correlations.push(currentCorrelationId());
    for (const message of messages) {
      behave(message, batch);
      for (const { module } of message.data.modules) {
        await tx.query('INSERT INTO followed (module) VALUES ($1) ON CONFLICT DO NOTHING', [module]);
      }
    }
  }
}

/** The queue carries erasures, too, and every type of a queue needs its handler. */
const EraseData = erasesData('catalog', QUEUES.catalogModules);

/** Every message of the catalog's queues goes from its outbox over Redis into its own handler: both ends in one service. */
describe(MessagingModule.name, () => {
  let redis: TestRedis;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  let dataSource: DataSource;
  const apps: INestApplicationContext[] = [];

  beforeAll(async () => {
    [redis, database] = await Promise.all([testRedis(), emptyDatabase()]);
    dataSource = createDataSource({
      url: database.url,
      schema: 'public',
      entities: [],
      migrations: [],
      applicationName: 'spec',
    });
    await dataSource.initialize();
    await dataSource.query('CREATE SCHEMA catalog');
    await dataSource.destroy();
    dataSource = createDataSource({
      url: database.url,
      schema: 'catalog',
      entities: [],
      migrations: [],
      applicationName: 'spec',
    });
    await dataSource.initialize();
    await dataSource.query(outboxMigrationSql() + deadLettersMigrationSql());
    await dataSource.query('CREATE TABLE followed (module text PRIMARY KEY)');
  });
  afterEach(async () => {
    behave = () => undefined;
    correlations = [];
    for (const app of apps.splice(0)) await app.close();
    await dataSource.query('TRUNCATE followed, outbox, dead_letters');
  });
  afterAll(async () => {
    await dataSource.destroy();
    await Promise.all([database.drop(), redis.stop()]);
  });

  const boot = async (
    providers: Type[],
    changes: { streamsUrl?: string; env?: Record<string, string> } = {},
  ): Promise<INestApplicationContext> => {
    const config = {
      databaseUrl: database.url,
      streamsUrl: redis.url,
      partitions: 1,
      logLevel: 'silent' as const,
      env: {},
      ...changes,
    };
    class App {}
    Module({
      imports: [MessagingModule.forService({ service: 'catalog', config, dataSource })],
      providers: [...providers, EraseData],
    })(App);
    const app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    apps.push(app);
    return app;
  };
  const see = (app: INestApplicationContext, ...modules: string[]) =>
    app.get<UnitOfWork<EntityManager>>(UNIT_OF_WORK).run((tx) =>
      app.get<Outbox>(OUTBOX).add(
        tx,
        modules.map((module) => ({
          event: modulesSeen,
          organizationId: null,
          key: module,
          body: { modules: [{ module, type: 'module' as const }] },
          correlationId: `corr-${module}`,
        })),
      ),
    );
  const followed = async (): Promise<string[]> =>
    (await dataSource.query('SELECT module FROM followed ORDER BY module')).map(
      (row: { module: string }) => row.module,
    );

  it('does not come up when an event has no handler, and leaves nothing running', async () => {
    await expect(boot([])).rejects.toThrow(HandlerWiringError);
    await expect(boot([])).rejects.toThrow('@QueueHandler(QUEUES.catalogModules)');
  });

  it('moves nothing before it is started', async () => {
    const app = await boot([FollowModules]);
    await see(app, 'token');
    expect((await app.get(MessagingRuntime).ready()).checks['messaging']).toEqual({ ok: false, detail: 'not running' });
    expect((await dataSource.query('SELECT count(*) AS rows FROM outbox'))[0].rows).toBe(1);
    await app.get(MessagingRuntime).start();
    await eventually(async () => (await followed()).includes('token'), { what: 'the waiting event' });
  });

  it('carries an event from the outbox into the handler’s transaction, under its correlation id', async () => {
    const app = await boot([FollowModules]);
    const runtime = app.get(MessagingRuntime);
    await runtime.start();
    await see(app, 'pathauto');
    await eventually(async () => (await followed()).includes('pathauto'), { what: 'the module to be followed' });
    expect(correlations).toEqual(['corr-pathauto']);
    await eventually(async () => (await runtime.ready()).ok, { what: 'readiness' });
    expect(Object.keys((await runtime.ready()).checks).sort()).toEqual([
      'catalog.modules',
      'database',
      'messaging',
      'outbox',
      'publishing',
      'streams',
    ]);
    const figures = await metrics('catalog').metrics();
    expect(figures).toMatch(/patchwatch_outbox_relayed_total\{[^}]*queue="catalog\.modules"[^}]*\} [1-9]/);
    expect(figures).toMatch(/patchwatch_processed_total\{[^}]*queue="catalog\.modules"[^}]*\} [1-9]/);
  });

  it('keeps what a handler gives up in the dead letters while the neighbours commit, and replays it', async () => {
    behave = (message, batch) => {
      if (message.envelope.key === 'bad') batch.fail(message, 'spec_refused', 'refused by the test');
    };
    const app = await boot([FollowModules]);
    await app.get(MessagingRuntime).start();
    await see(app, 'bad', 'good');
    const store = app.get(PostgresDeadLetterStore);
    const letter = await eventually(async () => (await store.list(dataSource.manager))[0], { what: 'the dead letter' });
    expect(letter).toMatchObject({
      code: 'spec_refused',
      type: 'ingest.modules-seen',
      key: 'bad',
      queue: 'catalog.modules',
    });
    await eventually(async () => (await followed()).includes('good'), { what: 'the neighbour' });
    behave = () => undefined;
    const unitOfWork = app.get<UnitOfWork<EntityManager>>(UNIT_OF_WORK);
    expect(await unitOfWork.run((tx) => store.replay(tx, app.get(OUTBOX)))).toBe(1);
    await eventually(async () => (await followed()).includes('bad'), { what: 'the replayed message' });
    expect(await store.countOpen(dataSource.manager)).toBe(0);
  });

  it('refuses to start on a Redis that may lose what it accepts, unless told', async () => {
    const lossy = await testRedis({ args: ['--appendfsync', 'everysec'] });
    const refused = await boot([FollowModules], { streamsUrl: lossy.url });
    await expect(refused.get(MessagingRuntime).start()).rejects.toThrow(LossyStreamsError);
    const told = await boot([FollowModules], { streamsUrl: lossy.url, env: { PATCHWATCH_ALLOW_LOSSY_STREAMS: '1' } });
    await told.get(MessagingRuntime).start();
    for (const app of apps.splice(0)) await app.close();
    await lossy.stop();
  });

  it('stops in order: what the consumers wrote is sent before Redis closes', async () => {
    const app = await boot([FollowModules]);
    const runtime = app.get(MessagingRuntime);
    await runtime.start();
    await see(app, ...Array.from({ length: 100 }, (_, n) => `m${n}`));
    await runtime.stop();
    await runtime.stop();
    expect((await dataSource.query('SELECT count(*) AS rows FROM outbox'))[0].rows).toBe(0);
    expect((await runtime.ready()).ok).toBe(false);
    const next = await boot([FollowModules]);
    await next.get(MessagingRuntime).start();
    await eventually(
      async () => {
        expect((await followed()).filter((module) => /^m\d+$/.test(module))).toHaveLength(100);
        return true;
      },
      { what: 'the next process to take what was left' },
    );
  });

  it('loses nothing when Redis is killed under it, and says meanwhile that it is not ready', async () => {
    const app = await boot([FollowModules]);
    const runtime = app.get(MessagingRuntime);
    await runtime.start();
    await redis.kill9();
    await see(app, 'a', 'b');
    await eventually(async () => (await runtime.ready()).checks['streams']?.ok === false, {
      what: 'the missing Redis to be noticed',
    });
    await redis.restart();
    await see(app, 'c');
    await eventually(
      async () => {
        expect(await followed()).toEqual(expect.arrayContaining(['a', 'b', 'c']));
        return true;
      },
      { what: 'all three' },
    );
    await eventually(async () => (await runtime.ready()).ok, { what: 'readiness' });
  });
});
