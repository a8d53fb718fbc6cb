import { Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MessagingModule, type MessagingOptions } from '#libs/outbox';
import type { Clock, Logger } from '#libs/runtime';
import { AdvisoryRepository } from './advisory/advisory.repository.js';
import { ReadPagesService } from './advisory/read-pages.service.js';
import { SyncAdvisoriesService } from './advisory/sync-advisories.service.js';
import { WalkAdvisoriesService } from './advisory/walk-advisories.service.js';
import { CLOCK, LOGGER } from './clock.js';
import { FetchModuleService } from './module/fetch-module.service.js';
import { FollowModulesService } from './module/follow-modules.service.js';
import { ModuleRepository } from './module/module.repository.js';
import { ModulesSeenConsumer } from './module/modules-seen.consumer.js';
import { StoreModulesService } from './module/store-modules.service.js';
import { AskUpstreamService } from './sync/ask-upstream.service.js';
import { SettleAnswersService } from './sync/settle-answers.service.js';
import { SyncLoopService } from './sync/sync-loop.service.js';
import { SyncScheduleService } from './sync/sync-schedule.service.js';
import { SyncStateRepository } from './sync/sync-state.repository.js';
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
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: UPSTREAM, useValue: upstream },
        { provide: CLOCK, useValue: clock },
        { provide: LOGGER, useValue: logger },
        ModuleRepository,
        FollowModulesService,
        ModulesSeenConsumer,
        FetchModuleService,
        StoreModulesService,
        AdvisoryRepository,
        ReadPagesService,
        WalkAdvisoriesService,
        SyncAdvisoriesService,
        SyncStateRepository,
        SyncScheduleService,
        AskUpstreamService,
        SettleAnswersService,
        SyncLoopService,
      ],
    };
  }
}
