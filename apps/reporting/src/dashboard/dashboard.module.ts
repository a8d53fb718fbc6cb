import { Module } from '@nestjs/common';
import { DashboardController } from './dashboard.controller.js';
import { ExposureFiguresRepository } from './exposure-figures.repository.js';
import { FleetRepository } from './fleet.repository.js';
import { PatchProgressRepository } from './patch-progress.repository.js';
import { ReadDashboardService } from './read-dashboard.service.js';

@Module({
  controllers: [DashboardController],
  providers: [FleetRepository, ExposureFiguresRepository, PatchProgressRepository, ReadDashboardService],
})
export class DashboardModule {}
