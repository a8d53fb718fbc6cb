import { Module } from '@nestjs/common';
import { AnswerStampModule } from '../answer-stamp/answer-stamp.module.js';
import { ModuleStandingRepository } from './module-standing.repository.js';
import { ReadSitesService } from './read-sites.service.js';
import { SiteContactRepository } from './site-contact.repository.js';
import { SiteListRepository } from './site-list.repository.js';
import { SiteModulesRepository } from './site-modules.repository.js';
import { SiteSummaryRepository } from './site-summary.repository.js';
import { SitesController } from './sites.controller.js';
import { SummarizeSitesService } from './summarize-sites.service.js';

@Module({
  imports: [AnswerStampModule],
  controllers: [SitesController],
  providers: [
    SiteSummaryRepository,
    ModuleStandingRepository,
    SiteContactRepository,
    SummarizeSitesService,
    SiteListRepository,
    SiteModulesRepository,
    ReadSitesService,
  ],
  exports: [SummarizeSitesService],
})
export class SiteSummaryModule {}
