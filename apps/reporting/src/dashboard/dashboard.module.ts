import { Module } from '@nestjs/common';
import { AnswerStampModule } from '../answer-stamp/answer-stamp.module.js';
import { DashboardController } from './dashboard.controller.js';
import { ExposureFiguresRepository } from './exposure-figures.repository.js';
import { FleetRepository } from './fleet.repository.js';
import { PatchProgressRepository } from './patch-progress.repository.js';
import { ReadProgressService } from './read-progress.service.js';
import { ExposureColumnsRepository } from './exposure-columns.repository.js';
import { ReadDashboardService } from './read-dashboard.service.js';

@Module({
  imports: [AnswerStampModule],
  controllers: [DashboardController],
  providers: [
    FleetRepository,
    ExposureFiguresRepository,
    PatchProgressRepository,
    ReadDashboardService,
    ReadProgressService,
    ExposureColumnsRepository,
  ],
})
export class DashboardModule {}
