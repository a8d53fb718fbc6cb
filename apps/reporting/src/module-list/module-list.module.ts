import { Module } from '@nestjs/common';
import { AnswerStampModule } from '../answer-stamp/answer-stamp.module.js';
import { FleetCountsModule } from '../fleet-counts/fleet-counts.module.js';
import { ModuleHistoryModule } from '../module-history/module-history.module.js';
import { OwnModuleModule } from '../own-module/own-module.module.js';
import { CountModulesService } from './count-modules.service.js';
import { KnownModulesRepository } from './known-modules.repository.js';
import { KnownModulesService } from './known-modules.service.js';
import { ListModulesService } from './list-modules.service.js';
import { ModuleListController } from './module-list.controller.js';

@Module({
  imports: [AnswerStampModule, FleetCountsModule, ModuleHistoryModule, OwnModuleModule],
  controllers: [ModuleListController],
  providers: [KnownModulesRepository, KnownModulesService, CountModulesService, ListModulesService],
})
export class ModuleListModule {}
