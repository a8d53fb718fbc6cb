import 'reflect-metadata';
import { customModules, exportData, listSyncFailures, moduleSync, syncOverview } from '#libs/contracts';
import { startWorker, UNIT_OF_WORK } from '#libs/outbox';
import { createLogger, metrics, systemClock, type Clock, type RunningService, type ServiceConfig } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import type { EntityManager } from 'typeorm';
import { CatalogModule } from './catalog.module.js';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { LOCAL_BEAT, POLITE_BEAT, type Beat } from './sync/beat.js';
import { SyncLoopService } from './sync/sync-loop.service.js';
import { syncMetrics } from './sync/sync-metrics.js';
import { SyncScheduleService } from './sync/sync-schedule.service.js';
import { UpstreamClient } from './upstream/upstream-client.service.js';
import { systemTimers, type Timers } from './timers.js';
import { upstreamSettings, type UpstreamSettings } from './upstream/upstream-settings.js';

const QUESTIONS = [moduleSync, listSyncFailures, syncOverview, customModules, exportData.catalog];

/** What a test may replace. */
export interface CatalogOverrides {
  readonly clock?: Clock;
  readonly beat?: Partial<Beat>;
  readonly timers?: Timers;
  readonly settings?: Partial<UpstreamSettings>;
}

/**
 * Starts the catalog: takes modules that sites run, follows them and the advisories upstream, tells what changes. An upstream that is away is
 * no reason to say that it is not ready: it answers with what it has.
 * @throws see startWorker; also when the settings make no sense
 */
export async function startCatalog(config: ServiceConfig, overrides: CatalogOverrides = {}): Promise<RunningService> {
  const logger = createLogger('catalog', { level: config.logLevel });
  const clock = overrides.clock ?? systemClock;
  const timers = overrides.timers ?? systemTimers;
  const settings = { ...upstreamSettings(config.upstreamUrl, config.env), ...overrides.settings };
  const client = new UpstreamClient(settings, clock, undefined, timers);
  const beat = { ...(settings.local ? LOCAL_BEAT : POLITE_BEAT), ...overrides.beat };
  const running = await startWorker({
    config,
    logger,
    database: { entities, migrations },
    questions: QUESTIONS,
    module: (dataSource) => {
      syncMetrics(metrics('catalog'), dataSource, clock);
      return CatalogModule.of({
        messaging: { service: 'catalog', config, dataSource },
        dataSource,
        upstream: { settings, client, beat, timers },
        clock,
        logger,
      });
    },
    prepare: (app) =>
      app
        .get<UnitOfWork<EntityManager>>(UNIT_OF_WORK)
        .run((tx) => app.get(SyncScheduleService).followAdvisories(tx, clock.now())),
    besides: (app) => ({ sync: app.get(SyncLoopService) }),
    closers: [() => client.close()],
  });
  logger.info({ upstream: settings.historyBase, local: settings.local }, 'the catalog follows upstream');
  return running;
}
