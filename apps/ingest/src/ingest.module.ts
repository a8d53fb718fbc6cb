import { Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MessagingModule } from '#libs/outbox';
import type { Logger, ServiceConfig } from '#libs/runtime';
import type { RedisConnection } from '#libs/streams';
import { EraseDataConsumer } from './erasure/erase-data.consumer.js';
import { ExportDataController } from './export/export-data.controller.js';
import { AnnounceChangesService } from './inventory/announce-changes.service.js';
import { ApplyInventoriesService } from './inventory/apply-inventories.service.js';
import { EndInventoryService } from './inventory/end-inventory.service.js';
import { InventoryRepository } from './inventory/inventory.repository.js';
import { CACHE, KnownInventoriesService } from './inventory/known-inventories.service.js';
import { PushReceivedConsumer } from './inventory/push-received.consumer.js';
import { KnownModuleRepository } from './known-module/known-module.repository.js';
import { KnownModulesService } from './known-module/known-modules.service.js';
import { PatchRunRepository } from './patch-run/patch-run.repository.js';
import { PatchRunsService } from './patch-run/patch-runs.service.js';
import { LOGGER, PartitionKeeperService } from './raw-push/partition-keeper.service.js';
import { RawPushRepository } from './raw-push/raw-push.repository.js';
import { RawPushesService } from './raw-push/raw-pushes.service.js';
import { PushReceiptController } from './receipt/push-receipt.controller.js';
import { ReceiptRepository } from './receipt/receipt.repository.js';
import { ReceiptsService } from './receipt/receipts.service.js';
import { SiteStateRepository } from './site-state/site-state.repository.js';
import { SiteStatesService } from './site-state/site-states.service.js';
import { FollowSitesService } from './site/follow-sites.service.js';
import { SiteChangedConsumer } from './site/site-changed.consumer.js';

export interface IngestParts {
  readonly config: ServiceConfig;
  /** Initialised; the service's own. */
  readonly dataSource: DataSource;
  /** The Redis of role cache. */
  readonly cache: RedisConnection;
  readonly logger: Logger;
}

/** The wiring of the service. One module: its features are folders, and none is used without the others. */
@Module({})
export class IngestModule {
  static with({ config, dataSource, cache, logger }: IngestParts): DynamicModule {
    return {
      module: IngestModule,
      imports: [MessagingModule.forService({ service: 'ingest', config, dataSource })],
      controllers: [PushReceiptController, ExportDataController],
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: CACHE, useValue: cache },
        { provide: LOGGER, useValue: logger },
        SiteStateRepository,
        SiteStatesService,
        InventoryRepository,
        KnownModuleRepository,
        KnownModulesService,
        RawPushRepository,
        RawPushesService,
        PartitionKeeperService,
        ReceiptRepository,
        ReceiptsService,
        PatchRunRepository,
        PatchRunsService,
        AnnounceChangesService,
        ApplyInventoriesService,
        EndInventoryService,
        KnownInventoriesService,
        PushReceivedConsumer,
        FollowSitesService,
        SiteChangedConsumer,
        EraseDataConsumer,
      ],
    };
  }
}
