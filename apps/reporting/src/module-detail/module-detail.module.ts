import { Module } from '@nestjs/common';
import { ModuleHistoryModule } from '../module-history/module-history.module.js';
import { OwnModuleModule } from '../own-module/own-module.module.js';
import { ModuleDetailController } from './module-detail.controller.js';
import { ModuleDetailRepository } from './module-detail.repository.js';
import { ModuleVersionsRepository } from './module-versions.repository.js';
import { ReadModuleVersionsService } from './read-module-versions.service.js';
import { ReadModuleService } from './read-module.service.js';

@Module({
  imports: [ModuleHistoryModule, OwnModuleModule],
  controllers: [ModuleDetailController],
  providers: [ModuleDetailRepository, ModuleVersionsRepository, ReadModuleService, ReadModuleVersionsService],
})
export class ModuleDetailModule {}
