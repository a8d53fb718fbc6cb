import { Controller, Delete, Get, HttpCode, Param, Put, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import { ShareSite } from './share-site.service.js';
import { SITE_SHARE } from './site-share.schema.js';

@ApiTags('Sites')
@ApiBearerAuth()
@Controller('api/v1/sites/:siteUuid/organizations')
export class SiteShareController {
  constructor(private readonly shareSite: ShareSite) {}

  @Get()
  @ApiOperation({ summary: 'The organizations that may read the site besides its own, by name' })
  @AnswersOne(Type.Array(SITE_SHARE))
  @Refuses('not_found', 'forbidden')
  async list(
    @Person() person: UserPrincipal,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const guests = await this.shareSite.list(uuid, doerOf(person, request));
    return new Answer(
      guests.map(({ uuid, name, since }) => ({ organization_id: uuid, name, since: since.toISOString() })),
    );
  }

  @Put(':organizationId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Share the site: members of that organization may read it, and nothing more' })
  @Refuses('not_found', 'forbidden', 'validation_failed')
  async share(
    @Person() person: UserPrincipal,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Param('organizationId', UuidPipe) organization: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.shareSite.share(uuid, organization, doerOf(person, request));
  }

  @Delete(':organizationId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Share it no more, or, as an administrator of that organization, leave it' })
  @Refuses('not_found', 'forbidden')
  async unshare(
    @Person() person: UserPrincipal,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Param('organizationId', UuidPipe) organization: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.shareSite.unshare(uuid, organization, doerOf(person, request));
  }
}
