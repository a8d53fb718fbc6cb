import { Module } from '@nestjs/common';
import { ExposureAnnouncementRepository } from './exposure-announcement.repository.js';
import { ExposureRepository } from './exposure.repository.js';
import { ReconcileExposuresService } from './reconcile-exposures.service.js';

@Module({
  providers: [ExposureRepository, ExposureAnnouncementRepository, ReconcileExposuresService],
  exports: [ReconcileExposuresService],
})
export class ExposureModule {}
