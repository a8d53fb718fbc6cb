import { Module } from '@nestjs/common';
import { AssessmentLockModule } from '../assessment-lock/assessment-lock.module.js';
import { ExposureModule } from '../exposure/exposure.module.js';
import { SiteSummaryModule } from '../site-summary/site-summary.module.js';
import { FollowRegistryService } from './follow-registry.service.js';
import { IdentityRepository } from './identity.repository.js';
import { RegistryChangesConsumer } from './registry-changes.consumer.js';

@Module({
  imports: [AssessmentLockModule, ExposureModule, SiteSummaryModule],
  providers: [IdentityRepository, FollowRegistryService, RegistryChangesConsumer],
  exports: [FollowRegistryService],
})
export class IdentityModule {}
