import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import type { StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ModuleRow, ModuleVersionRow } from '#libs/contracts';
import { Answer } from '../http/answer.js';
import { csvFile } from '../http/csv-file.js';
import { NeedsIfMatch } from '../http/needs-if-match.interceptor.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { scopeOf } from '../identity/principal.js';
import type { Actor, UserPrincipal } from '../identity/principal.js';
import { AllowIntegrationKey, Asking, Person } from '../login/asker.decorator.js';
import { ManageModules } from './manage-modules.service.js';
import {
  CreateModuleBody,
  ModuleListQuery,
  ModuleQuery,
  ModuleVersionsQuery,
  RemoveModuleQuery,
  UpdateModuleBody,
} from './module.dto.js';
import type { Doer } from './own-module-changes.service.js';
import type { OwnModule } from './own-module.entity.js';
import { ONE_MODULE, OWN_MODULE } from './own-module.schema.js';
import { ReadModules } from './read-modules.service.js';

@ApiTags('Modules')
@ApiBearerAuth()
@Controller('api/v1/modules')
export class ModuleController {
  constructor(
    private readonly readModules: ReadModules,
    private readonly manageModules: ManageModules,
  ) {}

  @Get()
  @AllowIntegrationKey('modules:read')
  @ApiOperation({ summary: 'The modules that your sites run, and your own; those with security updates first' })
  @AnswersList(ModuleRow)
  @Refuses('unknown_parameter', 'invalid_parameter')
  async list(
    @Asking() person: Actor,
    @Query() query: ModuleListQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<unknown> | StreamableFile> {
    const scope = scopeOf(person);
    if (query.format === 'csv') return csvFile('modules', await this.readModules.csv(scope, query), reply);
    const { items, total, asOf } = await this.readModules.page(scope, query);
    return new Answer(items, { page: { page: query.page, per_page: query.per_page, total }, asOf });
  }

  @Post()
  @AllowIntegrationKey('modules:write')
  @ApiOperation({ summary: 'Declare a module of your own, which Drupal.org does not know' })
  @AnswersOne(OWN_MODULE, 201)
  @Refuses('validation_failed', 'forbidden', 'module_exists', 'module_known_upstream')
  async create(
    @Asking() person: Actor,
    @Body() body: CreateModuleBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const { name, title, type, link, releases, organization } = body;
    const { own } = await this.manageModules.create(
      { name, title, type, link, releases: releases.map((release) => ({ ...release })), organization },
      doer(person, request),
    );
    return this.answer(person, own);
  }

  @Get(':name')
  @AllowIntegrationKey('modules:read')
  @ApiOperation({ summary: 'One module: which sites run it, at which versions; paging goes over the sites' })
  @AnswersOne(ONE_MODULE)
  @Refuses('unknown_parameter', 'invalid_parameter', 'not_found')
  async one(
    @Asking() person: Actor,
    @Param('name') name: string,
    @Query() query: ModuleQuery,
  ): Promise<Answer<unknown>> {
    const { meta, ...data } = await this.readModules.one(scopeOf(person), name, query);
    const [own, ...others] = data.own;
    return new Answer(data, {
      ...(own === undefined || others.length > 0 ? {} : { revision: own.revision }),
      page: { page: query.page, per_page: query.per_page, total: meta.total },
      asOf: meta.as_of,
      links: {
        versions: `/api/v1/modules/${name}/versions`,
        advisories: `/api/v1/advisories?module=${name}`,
        exposures: `/api/v1/exposures?module=${name}`,
      },
    });
  }

  @Get(':name/versions')
  @AllowIntegrationKey('modules:read')
  @ApiOperation({
    summary: 'Its releases, the newest first, with what both sources say of each and how many sites run it',
  })
  @AnswersList(ModuleVersionRow)
  @Refuses('unknown_parameter', 'invalid_parameter', 'not_found')
  async versions(
    @Asking() person: Actor,
    @Param('name') name: string,
    @Query() query: ModuleVersionsQuery,
  ): Promise<Answer<unknown>> {
    const { items, meta } = await this.readModules.versions(scopeOf(person), name, query);
    return new Answer(items, {
      page: { page: query.page, per_page: query.per_page, total: meta.total },
      asOf: meta.as_of,
      links: { module: `/api/v1/modules/${name}` },
    });
  }

  @Patch(':name')
  @NeedsIfMatch()
  @AllowIntegrationKey('modules:write')
  @ApiOperation({ summary: 'Change a module of your own; releases are replaced as a whole' })
  @AnswersOne(OWN_MODULE)
  @Refuses('validation_failed', 'not_found', 'forbidden', 'module_not_own')
  async change(
    @Asking() person: Actor,
    @Param('name') name: string,
    @Body() body: UpdateModuleBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const { title, type, link, releases, organization } = body;
    const words = {
      ...(title === undefined ? {} : { title }),
      ...(type === undefined ? {} : { type }),
      ...(link === undefined ? {} : { link }),
      ...(releases === undefined ? {} : { releases: releases.map((release) => ({ ...release })) }),
    };
    const { own } = await this.manageModules.change(name, words, organization, doer(person, request));
    return this.answer(person, own);
  }

  @Delete(':name')
  @NeedsIfMatch()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Take back the declaration of a module of your own; the sites that run it go on telling of it',
  })
  @ApiNoContentResponse({ description: 'Removed' })
  @Refuses('validation_failed', 'unknown_parameter', 'invalid_parameter', 'not_found', 'forbidden', 'module_not_own')
  async remove(
    @Person() person: UserPrincipal,
    @Param('name') name: string,
    @Query() { organization }: RemoveModuleQuery,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.manageModules.remove(name, organization, doer(person, request));
  }

  private async answer(person: Actor, own: OwnModule): Promise<Answer<unknown>> {
    const self = `/api/v1/modules/${own.module}`;
    const [data] = await this.readModules.answers(scopeOf(person), [own]);
    return new Answer(data, { revision: own.revision, links: { self, versions: `${self}/versions` } });
  }
}

function doer(person: Actor, request: FastifyRequest): Doer {
  return { person, requestId: request.id, address: request.ip, ifMatch: request.headers['if-match'] };
}
