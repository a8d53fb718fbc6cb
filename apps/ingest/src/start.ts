import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { pushReceipt } from '#libs/contracts';
import { createDataSource } from '#libs/database';
import { MessagingRuntime } from '#libs/outbox';
import { createLogger, NestLogger, withCorrelation, type RunningService, type ServiceConfig } from '#libs/runtime';
import { connectRedis, StreamsRpcServer } from '#libs/streams';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { IngestModule } from './ingest.module.js';
import { PartitionKeeperService } from './raw-push/partition-keeper.service.js';

/** Consumers hold one connection each while they work; the rest is for questions. */
const CONNECTIONS_BESIDE_CONSUMERS = 6;

/**
 * Starts ingest: database, cache, questions, then messages. Stops in the opposite order, the database last.
 * @throws when the database or Redis is away, or when a message or a question has no handler; then nothing runs.
 */
export async function startIngest(config: ServiceConfig): Promise<RunningService> {
  const logger = createLogger('ingest', { level: config.logLevel });
  const dataSource = createDataSource({
    url: config.databaseUrl,
    schema: 'ingest',
    entities,
    migrations,
    applicationName: 'patchwatch-ingest',
    pipeline: true,
    poolSize: config.partitions + CONNECTIONS_BESIDE_CONSUMERS,
    onPoolError: (error) => logger.warn({ err: error }, 'an idle database connection failed'),
  });
  const cache = connectRedis(config.cacheUrl, { name: 'ingest:cache', role: 'cache', log: logger });
  const questions = new StreamsRpcServer({
    service: 'ingest',
    url: config.cacheUrl,
    definitions: [pushReceipt],
    withCorrelation,
    log: logger,
  });
  const closers: (() => Promise<unknown>)[] = [
    () => questions.close(),
    () => cache.close(),
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
      IngestModule.with({ config, dataSource, cache, logger }),
      {
        strategy: questions,
        logger: new NestLogger(logger),
        abortOnError: false,
      },
    );
    closers.unshift(() => app.close());
    const messaging = app.get(MessagingRuntime);
    closers.unshift(() => messaging.stop());
    await app.listen();
    const partitions = app.get(PartitionKeeperService);
    closers.unshift(() => Promise.resolve(partitions.stop()));
    partitions.start();
    await messaging.start();
    return {
      name: 'ingest',
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
