import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createDataSource } from '#libs/database';
import { MessagingRuntime, UNIT_OF_WORK } from '#libs/outbox';
import {
  createLogger,
  NestLogger,
  systemClock,
  type Clock,
  type Readiness,
  type RunningService,
  type ServiceConfig,
} from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import type { EntityManager } from 'typeorm';
import { CatalogModule } from './catalog.module.js';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { LOCAL_BEAT, POLITE_BEAT, type Beat } from './sync/beat.js';
import { SyncLoopService } from './sync/sync-loop.service.js';
import { SyncScheduleService } from './sync/sync-schedule.service.js';
import { UpstreamClient } from './upstream/upstream-client.service.js';
import { upstreamSettings } from './upstream/upstream-settings.js';

/** What a test may replace. */
export interface CatalogOverrides {
  readonly clock?: Clock;
  readonly beat?: Partial<Beat>;
}

/**
 * Starts the catalog: takes modules that sites run, follows them and the advisories upstream, tells what changes.
 * @throws when database or Redis cannot be reached, or when the settings make no sense; then nothing of it runs.
 */
export async function startCatalog(config: ServiceConfig, overrides: CatalogOverrides = {}): Promise<RunningService> {
  const logger = createLogger('catalog', { level: config.logLevel });
  const clock = overrides.clock ?? systemClock;
  const settings = upstreamSettings(config.upstreamUrl, config.env);
  const client = new UpstreamClient(settings, clock);
  const beat = { ...(settings.local ? LOCAL_BEAT : POLITE_BEAT), ...overrides.beat };
  const dataSource = createDataSource({
    url: config.databaseUrl,
    schema: 'catalog',
    entities,
    migrations,
    applicationName: 'patchwatch-catalog',
  });
  await dataSource.initialize();
  try {
    const app = await NestFactory.createApplicationContext(
      CatalogModule.of({
        messaging: { service: 'catalog', config, dataSource },
        dataSource,
        upstream: { settings, client, beat },
        clock,
        logger,
      }),
      { logger: new NestLogger(logger), abortOnError: false },
    );
    const messaging = app.get(MessagingRuntime);
    const loop = app.get(SyncLoopService);
    try {
      const unitOfWork = app.get<UnitOfWork<EntityManager>>(UNIT_OF_WORK);
      await unitOfWork.run((tx) => app.get(SyncScheduleService).followAdvisories(tx, clock.now()));
      await messaging.start();
      loop.start();
    } catch (error) {
      await app.close();
      throw error;
    }
    logger.info({ upstream: settings.historyBase, local: settings.local }, 'the catalog follows upstream');
    return {
      name: 'catalog',
      ready: () => readiness(messaging, loop),
      stop: async () => {
        await loop.stop();
        await app.close();
        client.close();
        await dataSource.destroy();
      },
    };
  } catch (error) {
    client.close();
    await dataSource.destroy();
    throw error;
  }
}

/** An upstream that is away is no reason to say no: the catalog answers with what it has. */
async function readiness(messaging: MessagingRuntime, loop: SyncLoopService): Promise<Readiness> {
  const parts = await messaging.ready();
  const sync = loop.health();
  return { ok: parts.ok && sync.ok, checks: { ...parts.checks, sync } };
}
