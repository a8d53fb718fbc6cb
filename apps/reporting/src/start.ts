import {
  advisoryDetail,
  advisorySites,
  dashboardOverview,
  exportData,
  listAdvisories,
  listExposures,
  listModules,
  listSites,
  moduleDetail,
  moduleVersions,
  patchProgress,
  reportingProgress,
  siteModules,
} from '#libs/contracts';
import { startWorker } from '#libs/outbox';
import { createLogger, systemClock, type RunningService, type ServiceConfig } from '#libs/runtime';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { ReportingModule } from './reporting.module.js';

/** Consumers hold one connection each while they work; the rest is for questions. */
const CONNECTIONS_BESIDE_CONSUMERS = 10;

const QUESTIONS = [
  listSites,
  siteModules,
  listModules,
  moduleDetail,
  moduleVersions,
  listAdvisories,
  advisoryDetail,
  advisorySites,
  listExposures,
  dashboardOverview,
  patchProgress,
  reportingProgress,
  exportData.reporting,
];

/** Starts reporting: facts become exposures and summaries; it answers what people ask of them. @throws see startWorker */
export function startReporting(config: ServiceConfig): Promise<RunningService> {
  return startWorker({
    config,
    logger: createLogger('reporting', { level: config.logLevel }),
    database: { entities, migrations, poolSize: config.partitions + CONNECTIONS_BESIDE_CONSUMERS },
    questions: QUESTIONS,
    module: (dataSource) => ReportingModule.with({ config, dataSource, clock: systemClock }),
  });
}
