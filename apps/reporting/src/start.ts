import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import {
  dashboardOverview,
  listExposures,
  listSites,
  moduleDetail,
  patchProgress,
  reportingProgress,
  siteModules,
} from '#libs/contracts';
import { createDataSource } from '#libs/database';
import { MessagingRuntime } from '#libs/outbox';
import {
  createLogger,
  NestLogger,
  systemClock,
  withCorrelation,
  type RunningService,
  type ServiceConfig,
} from '#libs/runtime';
import { StreamsRpcServer } from '#libs/streams';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { ReportingModule } from './reporting.module.js';

/** Consumers hold one connection each while they work; the rest is for questions. */
const CONNECTIONS_BESIDE_CONSUMERS = 10;

const QUESTIONS = [
  listSites,
  siteModules,
  moduleDetail,
  listExposures,
  dashboardOverview,
  patchProgress,
  reportingProgress,
];

/**
 * Starts reporting: database, questions, then messages. Stops in the opposite order, the database last.
 * @throws when the database or Redis is away, or when a message or a question has no handler; then nothing runs.
 */
export async function startReporting(config: ServiceConfig): Promise<RunningService> {
  const logger = createLogger('reporting', { level: config.logLevel });
  const dataSource = createDataSource({
    url: config.databaseUrl,
    schema: 'reporting',
    entities,
    migrations,
    applicationName: 'patchwatch-reporting',
    poolSize: config.partitions + CONNECTIONS_BESIDE_CONSUMERS,
    onPoolError: (error) => logger.warn({ err: error }, 'an idle database connection failed'),
  });
  const questions = new StreamsRpcServer({
    service: 'reporting',
    url: config.cacheUrl,
    definitions: QUESTIONS,
    withCorrelation,
    log: logger,
  });
  const closers: (() => Promise<unknown>)[] = [
    () => questions.close(),
    () => (dataSource.isInitialized ? dataSource.destroy() : Promise.resolve()),
  ];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0)) {
      await close().catch((error: unknown) => logger.error({ err: error }, 'stopping went wrong'));
    }
  };
  try {
    await dataSource.initialize();
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(
      ReportingModule.with({ config, dataSource, clock: systemClock }),
      { strategy: questions, logger: new NestLogger(logger), abortOnError: false },
    );
    closers.unshift(() => app.close());
    const messaging = app.get(MessagingRuntime);
    closers.unshift(() => messaging.stop());
    await app.listen();
    await messaging.start();
    return {
      name: 'reporting',
      ready: async () => {
        const { ok, checks } = await messaging.ready();
        const answers = questions.health();
        return { ok: ok && answers.ok, checks: { ...checks, questions: answers } };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
