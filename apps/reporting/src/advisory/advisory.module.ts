import { Module } from '@nestjs/common';
import { FleetCountsModule } from '../fleet-counts/fleet-counts.module.js';
import { AdvisoriesController } from './advisories.controller.js';
import { AdvisoryFactsRepository } from './advisory-facts.repository.js';
import { AdvisorySitesRepository } from './advisory-sites.repository.js';
import { ListAdvisoriesService } from './list-advisories.service.js';
import { ReadAdvisoryService } from './read-advisory.service.js';

@Module({
  imports: [FleetCountsModule],
  controllers: [AdvisoriesController],
  providers: [AdvisoryFactsRepository, AdvisorySitesRepository, ListAdvisoriesService, ReadAdvisoryService],
})
export class AdvisoryModule {}
