import { exportData, pushReceipt } from '#libs/contracts';
import { daysToKeep, startWorker } from '#libs/outbox';
import { createLogger, type RunningService, type ServiceConfig } from '#libs/runtime';
import { connectRedis } from '#libs/streams';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { IngestModule } from './ingest.module.js';
import { PartitionKeeperService } from './raw-push/partition-keeper.service.js';
import { RawPushesService } from './raw-push/raw-pushes.service.js';
import { ReceiptsService } from './receipt/receipts.service.js';

/** Consumers hold one connection each while they work; the rest is for questions. */
const CONNECTIONS_BESIDE_CONSUMERS = 6;

/** Starts ingest: pushes become inventories and history; it answers how a push ended. @throws see startWorker */
export function startIngest(config: ServiceConfig): Promise<RunningService> {
  const logger = createLogger('ingest', { level: config.logLevel });
  const cache = connectRedis(config.cacheUrl, { name: 'ingest:cache', role: 'cache', log: logger });
  return startWorker({
    config,
    logger,
    database: {
      entities,
      migrations,
      pipeline: true,
      poolSize: config.partitions + CONNECTIONS_BESIDE_CONSUMERS,
    },
    questions: [pushReceipt, exportData.ingest],
    module: (dataSource) => IngestModule.with({ config, dataSource, cache, logger }),
    besides: (app) => ({ partitions: app.get(PartitionKeeperService) }),
    retention: (app) => [
      {
        table: 'receipts',
        days: daysToKeep(config, 'PATCHWATCH_RECEIPTS_DAYS', 90),
        remove: (manager, before, limit) => app.get(ReceiptsService).forget(manager, before, limit),
      },
      {
        table: 'raw_pushes',
        days: daysToKeep(config, 'PATCHWATCH_RAW_PUSHES_DAYS', 30),
        remove: (manager, before, limit) => app.get(RawPushesService).forget(manager, before, limit),
      },
    ],
    closers: [() => cache.close()],
  });
}
