import { Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answer } from '../http/answer.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { PageQuery } from '../http/parameters.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import { RestoreSites } from './restore-sites.service.js';
import { shownSite } from './shown-site.js';
import { REMOVED_SITE, SITE } from './site.schema.js';

@ApiTags('Sites')
@ApiBearerAuth()
@Controller('api/v1/removed-sites')
export class RestoreSiteController {
  constructor(private readonly sites: RestoreSites) {}

  @Get()
  @ApiOperation({ summary: 'Sites that were removed and can still be restored, the last removed first' })
  @AnswersList(REMOVED_SITE)
  async list(
    @Person() person: UserPrincipal,
    @Query() { page, per_page }: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const [sites, total] = await this.sites.list(doerOf(person, request), { page, per_page });
    return new Answer(
      sites.map(({ uuid, name, url, environment, removedAt }) => ({
        id: uuid,
        name,
        url,
        environment,
        removed_at: removedAt!.toISOString(),
      })),
      { page: { page, per_page, total } },
    );
  }

  @Post(':siteUuid/restore')
  @HttpCode(200)
  @ApiOperation({ summary: 'Bring a removed site back, with its history; its keys stay dead, make a new one' })
  @AnswersOne(SITE)
  @Refuses('not_found', 'forbidden', 'plan_limit_reached')
  async restore(
    @Person() person: UserPrincipal,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const { site, organizationUuid } = await this.sites.restore(uuid, doerOf(person, request));
    return new Answer(shownSite(site, organizationUuid), {
      links: { site: `/api/v1/sites/${site.uuid}`, keys: `/api/v1/sites/${site.uuid}/keys` },
    });
  }
}
