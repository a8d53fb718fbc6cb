import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answer } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { Actor } from '../identity/principal.js';
import { AllowIntegrationKey, Asking } from '../login/asker.decorator.js';
import { shownSite } from '../site/shown-site.js';
import { SITE } from '../site/site.schema.js';
import { HoldSite } from './hold-site.service.js';
import type { DecidedSite } from './hold-site.service.js';
import { HoldSiteBody, ReleaseSiteBody } from './quarantine.dto.js';

/** Nobody must accept what she has not seen: a site can be released and held again, for something else, while she looks. */
const IF_MATCH = {
  name: 'If-Match',
  required: false,
  description: 'The `ETag` of the answer that the decision is based on.',
  schema: { type: 'string' },
} as const;

@ApiTags('Sites')
@ApiBearerAuth()
@Controller('api/v1/sites/:siteUuid/quarantine')
export class QuarantineController {
  constructor(private readonly holdSite: HoldSite) {}

  @Post()
  @HttpCode(200)
  @AllowIntegrationKey('sites:write')
  @ApiOperation({ summary: 'Hold all pushes of the site until somebody releases it' })
  @AnswersOne(SITE)
  @Refuses('validation_failed', 'not_found', 'forbidden', 'site_already_held', 'precondition_failed')
  async hold(
    @Asking() person: Actor,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Body() { note }: HoldSiteBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return answer(await this.holdSite.hold(uuid, note ?? null, doerOf(person, request)));
  }

  @Post('release')
  @HttpCode(200)
  @ApiHeader(IF_MATCH)
  @AllowIntegrationKey('sites:write')
  @ApiOperation({ summary: 'Take its pushes again: the site has moved, or what was reported is wrong' })
  @AnswersOne(SITE)
  @Refuses(
    'validation_failed',
    'not_found',
    'forbidden',
    'site_not_quarantined',
    'nothing_reported',
    'precondition_failed',
  )
  async release(
    @Asking() person: Actor,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Body() { decision }: ReleaseSiteBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return answer(await this.holdSite.release(uuid, decision, doerOf(person, request)));
  }
}

function answer({ site, organizationUuid }: DecidedSite): Answer<unknown> {
  return new Answer(shownSite(site, organizationUuid), {
    revision: site.revision,
    links: { site: `/api/v1/sites/${site.uuid}` },
  });
}
