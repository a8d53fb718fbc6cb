import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { SiteModuleRow, SiteRow } from '#libs/contracts';
import { Answer } from '../http/answer.js';
import { NeedsIfMatch } from '../http/needs-if-match.interceptor.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { NeedsIdempotencyKey } from '../idempotency/idempotency.decorator.js';
import { scopeOf } from '../identity/principal.js';
import { doerOf } from '../identity/doer.js';
import type { Actor, UserPrincipal } from '../identity/principal.js';
import { AllowIntegrationKey, Asking, Person } from '../login/asker.decorator.js';
import type { IssuedKey } from '../site-key/issue-key.service.js';
import { ManageSites } from './manage-sites.service.js';
import { ReadSites } from './read-sites.service.js';
import { shownSite } from './shown-site.js';
import { CreateKeyBody, CreateSiteBody, SiteListQuery, SiteModulesQuery } from './site.dto.js';
import { CREATED_KEY, CREATED_SITE } from './site.schema.js';

@ApiTags('Sites')
@ApiBearerAuth()
@Controller('api/v1/sites')
export class SiteController {
  constructor(
    private readonly manageSites: ManageSites,
    private readonly readSites: ReadSites,
  ) {}

  @Get()
  @AllowIntegrationKey('sites:read')
  @ApiOperation({ summary: 'The sites you may see, worst first' })
  @AnswersList(SiteRow)
  async list(@Asking() person: Actor, @Query() query: SiteListQuery): Promise<Answer<unknown>> {
    const { items, total, asOf } = await this.readSites.list(scopeOf(person), query);
    return new Answer(items, { page: { page: query.page, per_page: query.per_page, total }, asOf });
  }

  @Post()
  @AllowIntegrationKey('sites:write')
  @NeedsIdempotencyKey()
  @ApiOperation({ summary: 'Add a site; the answer shows its key, this once' })
  @AnswersOne(CREATED_SITE, 201)
  @Refuses('validation_failed', 'not_found', 'forbidden', 'idempotency_key_required', 'plan_limit_reached')
  async create(
    @Asking() person: Actor,
    @Body() body: CreateSiteBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const { name, url, environment, organization } = body;
    const created = await this.manageSites.create({ name, url, environment, organization }, doerOf(person, request));
    const { site } = created;
    const self = `/api/v1/sites/${site.uuid}`;
    return new Answer(
      {
        site: shownSite(site, created.organizationUuid),
        ...keyAnswer(created.key),
      },
      { secret: true, links: { self, modules: `${self}/modules`, push: `${self}/modules/sync` } },
    );
  }

  @Get(':siteUuid')
  @AllowIntegrationKey('sites:read')
  @ApiOperation({ summary: 'One site' })
  @AnswersOne(SiteRow)
  @Refuses('not_found')
  async one(@Asking() person: Actor, @Param('siteUuid', UuidPipe) uuid: string): Promise<Answer<unknown>> {
    const { row, revision } = await this.readSites.one(scopeOf(person), uuid);
    return new Answer(row, {
      revision,
      links: { modules: `/api/v1/sites/${uuid}/modules` },
    });
  }

  @Get(':siteUuid/modules')
  @AllowIntegrationKey('sites:read')
  @ApiOperation({ summary: 'Its modules: security updates first, other updates next, up to date ones last' })
  @AnswersList(SiteModuleRow)
  @Refuses('not_found')
  async modules(
    @Asking() person: Actor,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Query() query: SiteModulesQuery,
  ): Promise<Answer<unknown>> {
    const { site, items, total, asOf } = await this.readSites.modules(scopeOf(person), uuid, query);
    return new Answer(items, {
      page: { page: query.page, per_page: query.per_page, total },
      asOf,
      meta: { site },
      links: { site: `/api/v1/sites/${uuid}` },
    });
  }

  @Post(':siteUuid/keys')
  @ApiOperation({ summary: 'One more key of the site, shown this once; two may push at a time' })
  @AnswersOne(CREATED_KEY, 201)
  @Refuses('not_found', 'forbidden', 'too_many_keys', 'validation_failed')
  async addKey(
    @Person() person: UserPrincipal,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Body() body: CreateKeyBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const wish = { purpose: body.purpose, lifetimeHours: body.expires_in_hours ?? null };
    const key = await this.manageSites.addKey(uuid, wish, doerOf(person, request));
    return new Answer(keyAnswer(key), { secret: true, links: { site: `/api/v1/sites/${uuid}` } });
  }

  @Delete(':siteUuid')
  @NeedsIfMatch()
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove the site; its keys die at once, its history stays' })
  @Refuses('not_found', 'forbidden')
  async remove(
    @Person() person: UserPrincipal,
    @Param('siteUuid', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.manageSites.remove(uuid, doerOf(person, request));
  }
}

function keyAnswer(key: IssuedKey): { key: string; key_id: string; purpose: string; key_expires_at: string | null } {
  return {
    key: key.text,
    key_id: key.publicId,
    purpose: key.purpose,
    key_expires_at: key.expiresAt?.toISOString() ?? null,
  };
}
