import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { NeedsIfMatch } from '../http/needs-if-match.interceptor.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { Actor, UserPrincipal } from '../identity/principal.js';
import { AllowIntegrationKey, Asking, Person } from '../login/asker.decorator.js';
import { shownKey } from '../site-key/shown-key.js';
import { ChangeSite } from './change-site.service.js';
import { shownSite } from './shown-site.js';
import { ChangeSiteBody } from './site.dto.js';
import { SITE, SITE_KEY } from './site.schema.js';

@ApiTags('Sites')
@ApiBearerAuth()
@Controller('api/v1/sites/:siteUuid')
export class SiteChangeController {
  constructor(private readonly changeSite: ChangeSite) {}

  @Patch()
  @NeedsIfMatch()
  @AllowIntegrationKey('sites:write')
  @ApiOperation({ summary: 'Change its name, address or environment' })
  @AnswersOne(SITE)
  @Refuses('validation_failed', 'not_found', 'forbidden')
  async change(
    @Asking() person: Actor,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Body() { name, url, environment }: ChangeSiteBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const words = {
      ...(name === undefined ? {} : { name }),
      ...(url === undefined ? {} : { url }),
      ...(environment === undefined ? {} : { environment }),
    };
    const { site, organizationUuid } = await this.changeSite.change(uuid, words, doerOf(person, request));
    return new Answer(shownSite(site, organizationUuid), { revision: site.revision });
  }

  @Get('keys')
  @ApiOperation({ summary: 'Its keys that were not revoked, without their secrets, and when each was last used' })
  @AnswersOne(Type.Array(SITE_KEY))
  @Refuses('not_found', 'forbidden')
  async keys(
    @Person() person: UserPrincipal,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const keys = await this.changeSite.listKeys(uuid, doerOf(person, request));
    return new Answer(
      keys.map((key) => ({
        ...shownKey(key),
        purpose: key.purpose,
        created_by: key.creator,
      })),
    );
  }

  @Delete('keys/:keyId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke one key at once. To rotate: make the new one, use it, then revoke the old' })
  @Refuses('not_found', 'forbidden')
  async revokeKey(
    @Person() person: UserPrincipal,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Param('keyId') keyId: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.changeSite.revokeKey(uuid, keyId, doerOf(person, request));
  }
}
