import { Module } from '@nestjs/common';
import { AssessmentLockModule } from '../assessment-lock/assessment-lock.module.js';
import { ExposureModule } from '../exposure/exposure.module.js';
import { IdentityModule } from '../identity/identity.module.js';
import { InventoryModule } from '../inventory/inventory.module.js';
import { SiteSummaryModule } from '../site-summary/site-summary.module.js';
import { VersionStatusModule } from '../version-status/version-status.module.js';
import { ForgetModelsRepository } from './forget-models.repository.js';
import { ModelSnapshotRepository } from './model-snapshot.repository.js';
import { RebuildModelsService } from './rebuild-models.service.js';
import { RebuildModulesService } from './rebuild-modules.service.js';
import { RebuildRegistryService } from './rebuild-registry.service.js';
import { RebuildSiteService } from './rebuild-site.service.js';

@Module({
  imports: [
    AssessmentLockModule,
    ExposureModule,
    IdentityModule,
    InventoryModule,
    SiteSummaryModule,
    VersionStatusModule,
  ],
  providers: [
    ForgetModelsRepository,
    ModelSnapshotRepository,
    RebuildRegistryService,
    RebuildModulesService,
    RebuildSiteService,
    RebuildModelsService,
  ],
})
export class RebuildModule {}
