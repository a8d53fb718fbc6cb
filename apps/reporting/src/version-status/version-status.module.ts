import { Module } from '@nestjs/common';
import { AssessmentLockModule } from '../assessment-lock/assessment-lock.module.js';
import { ExposureModule } from '../exposure/exposure.module.js';
import { OwnModuleModule } from '../own-module/own-module.module.js';
import { SiteSummaryModule } from '../site-summary/site-summary.module.js';
import { AssessModulesService } from './assess-modules.service.js';
import { CatalogChangesConsumer } from './catalog-changes.consumer.js';
import { CatalogRepository } from './catalog.repository.js';
import { JudgeVersionsService } from './judge-versions.service.js';
import { VersionRepository } from './version.repository.js';

@Module({
  imports: [AssessmentLockModule, ExposureModule, OwnModuleModule, SiteSummaryModule],
  providers: [CatalogRepository, VersionRepository, JudgeVersionsService, AssessModulesService, CatalogChangesConsumer],
  exports: [JudgeVersionsService, AssessModulesService],
})
export class VersionStatusModule {}
