import { Module } from '@nestjs/common';
import { DashboardController } from './dashboard.controller.js';
import { ExposureFiguresRepository } from './exposure-figures.repository.js';
import { FleetRepository } from './fleet.repository.js';
import { PatchProgressRepository } from './patch-progress.repository.js';
import { ReadProgressService } from './read-progress.service.js';
import { ExposureColumnsRepository } from './exposure-columns.repository.js';
import { ReadDashboardService } from './read-dashboard.service.js';

@Module({
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
