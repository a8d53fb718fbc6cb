import { Module } from '@nestjs/common';
import { SiteSummaryRepository } from './site-summary.repository.js';
import { SummarizeSitesService } from './summarize-sites.service.js';

@Module({ providers: [SiteSummaryRepository, SummarizeSitesService], exports: [SummarizeSitesService] })
export class SiteSummaryModule {}
