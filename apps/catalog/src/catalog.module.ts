import { Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MessagingModule, type MessagingOptions } from '#libs/outbox';
import type { Clock, Logger } from '#libs/runtime';
import { EraseDataConsumer } from './erasure/erase-data.consumer.js';
import { ExportDataController } from './export/export-data.controller.js';
import { AdvisoryRepository } from './advisory/advisory.repository.js';
import { LookAtAdvisoriesService } from './advisory/look-at-advisories.service.js';
import { ReadArchiveService } from './advisory/read-archive.service.js';
import { ReadFeedService } from './advisory/read-feed.service.js';
import { SyncAdvisoriesService } from './advisory/sync-advisories.service.js';
import { WalkArchiveService } from './advisory/walk-archive.service.js';
import { CLOCK, LOGGER } from './clock.js';
import { CustomModuleChangesConsumer } from './custom-module/custom-module-changes.consumer.js';
import { CustomModuleRepository } from './custom-module/custom-module.repository.js';
import { CustomModulesController } from './custom-module/custom-modules.controller.js';
import { DeclaredNamesService } from './custom-module/declared-names.service.js';
import { TakeCustomModulesService } from './custom-module/take-custom-modules.service.js';
import { FetchModuleService } from './module/fetch-module.service.js';
import { FollowModulesService } from './module/follow-modules.service.js';
import { ModuleRepository } from './module/module.repository.js';
import { ModulesSeenConsumer } from './module/modules-seen.consumer.js';
import { StoreModulesService } from './module/store-modules.service.js';
import { AskUpstreamService } from './sync/ask-upstream.service.js';
import { ReportSyncService } from './sync/report-sync.service.js';
import { SettleAnswersService } from './sync/settle-answers.service.js';
import { SyncLoopService } from './sync/sync-loop.service.js';
import { SyncReportController } from './sync/sync-report.controller.js';
import { SyncReportRepository } from './sync/sync-report.repository.js';
import { SyncScheduleService } from './sync/sync-schedule.service.js';
import { SyncStateRepository } from './sync/sync-state.repository.js';
import { UpstreamBudgetRepository } from './sync/upstream-budget.repository.js';
import type { UpstreamParts } from './upstream/upstream-parts.js';
import { UPSTREAM } from './upstream/upstream.tokens.js';

export interface CatalogParts {
  readonly messaging: MessagingOptions;
  readonly dataSource: DataSource;
  readonly upstream: UpstreamParts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The catalog: what Drupal.org says of modules and advisories. */
@Module({})
export class CatalogModule {
  static of({ messaging, dataSource, upstream, clock, logger }: CatalogParts): DynamicModule {
    return {
      module: CatalogModule,
      imports: [MessagingModule.forService(messaging)],
      controllers: [CustomModulesController, SyncReportController, ExportDataController],
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: UPSTREAM, useValue: upstream },
        { provide: CLOCK, useValue: clock },
        { provide: LOGGER, useValue: logger },
        ModuleRepository,
        FollowModulesService,
        ModulesSeenConsumer,
        EraseDataConsumer,
        FetchModuleService,
        StoreModulesService,
        AdvisoryRepository,
        ReadFeedService,
        ReadArchiveService,
        WalkArchiveService,
        LookAtAdvisoriesService,
        SyncAdvisoriesService,
        SyncStateRepository,
        UpstreamBudgetRepository,
        SyncScheduleService,
        AskUpstreamService,
        SettleAnswersService,
        SyncLoopService,
        SyncReportRepository,
        ReportSyncService,
        CustomModuleRepository,
        DeclaredNamesService,
        TakeCustomModulesService,
        CustomModuleChangesConsumer,
      ],
    };
  }
}
