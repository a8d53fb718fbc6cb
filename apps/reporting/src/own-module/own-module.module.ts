import { Module } from '@nestjs/common';
import { JudgeOwnVersionsService } from './judge-own-versions.service.js';
import { OwnModuleRepository } from './own-module.repository.js';
import { OwnModulesService } from './own-modules.service.js';

@Module({
  providers: [OwnModuleRepository, JudgeOwnVersionsService, OwnModulesService],
  exports: [JudgeOwnVersionsService, OwnModulesService],
})
export class OwnModuleModule {}
