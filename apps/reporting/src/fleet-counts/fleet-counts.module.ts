import { Module } from '@nestjs/common';
import { FleetCountsRepository } from './fleet-counts.repository.js';
import { FleetCountsService } from './fleet-counts.service.js';

@Module({ providers: [FleetCountsRepository, FleetCountsService], exports: [FleetCountsService] })
export class FleetCountsModule {}
