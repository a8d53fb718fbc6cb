import { Module } from '@nestjs/common';
import { AssessmentLockModule } from '../assessment-lock/assessment-lock.module.js';
import { ExposureModule } from '../exposure/exposure.module.js';
import { SiteSummaryModule } from '../site-summary/site-summary.module.js';
import { VersionStatusModule } from '../version-status/version-status.module.js';
import { InventoryFactsConsumer } from './inventory-facts.consumer.js';
import { SiteFactsRepository } from './site-facts.repository.js';
import { StoreInventoriesService } from './store-inventories.service.js';

@Module({
  imports: [AssessmentLockModule, VersionStatusModule, ExposureModule, SiteSummaryModule],
  providers: [SiteFactsRepository, StoreInventoriesService, InventoryFactsConsumer],
  exports: [StoreInventoriesService],
})
export class InventoryModule {}
