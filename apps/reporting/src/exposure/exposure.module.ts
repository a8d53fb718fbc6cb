import { Module } from '@nestjs/common';
import { AnswerStampModule } from '../answer-stamp/answer-stamp.module.js';
import { ExposureAnnouncementRepository } from './exposure-announcement.repository.js';
import { ExposureListRepository } from './exposure-list.repository.js';
import { ExposureRepository } from './exposure.repository.js';
import { ExposuresController } from './exposures.controller.js';
import { ListExposuresService } from './list-exposures.service.js';
import { ReconcileExposuresService } from './reconcile-exposures.service.js';

@Module({
  imports: [AnswerStampModule],
  controllers: [ExposuresController],
  providers: [
    ExposureRepository,
    ExposureAnnouncementRepository,
    ReconcileExposuresService,
    ExposureListRepository,
    ListExposuresService,
  ],
  exports: [ReconcileExposuresService],
})
export class ExposureModule {}
