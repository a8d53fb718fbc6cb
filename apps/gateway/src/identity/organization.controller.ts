import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answer } from '../http/answer.js';
import { NeedsIfMatch } from '../http/needs-if-match.interceptor.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { PageQuery } from '../http/parameters.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { Person } from '../login/asker.decorator.js';
import { Plans } from '../plan/plans.service.js';
import { doerOf } from './doer.js';
import { ChangeOrganizationBody, CreateOrganizationBody, OrganizationListQuery } from './identity.dto.js';
import { ORGANIZATION, REVISION } from './identity.schema.js';
import { ManageOrganizations } from './manage-organizations.service.js';
import type { Organization } from './organization.entity.js';
import type { UserPrincipal } from './principal.js';

@ApiTags('Organizations')
@ApiBearerAuth()
@Controller('api/v1/organizations')
export class OrganizationController {
  constructor(
    private readonly organizations: ManageOrganizations,
    private readonly plans: Plans,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The organizations you belong to; for a superuser all' })
  @AnswersList(ORGANIZATION)
  @Refuses('forbidden')
  async list(
    @Person() person: UserPrincipal,
    @Query() { page, per_page, q, removed }: OrganizationListQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const filter = { removed: removed === true, ...(q === undefined ? {} : { q }) };
    const [rows, total] = await this.organizations.list(doerOf(person, request), filter, { page, per_page });
    const plans = await this.plans.codes();
    return new Answer(
      rows.map((row) => shown(row, person, plans)),
      { page: { page, per_page, total } },
    );
  }

  @Post()
  @ApiOperation({ summary: 'Add an organization; for superusers' })
  @AnswersOne(ORGANIZATION, 201)
  @Refuses('validation_failed', 'forbidden')
  async create(
    @Person() person: UserPrincipal,
    @Body() { name, time_zone, requires_second_factor, plan }: CreateOrganizationBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const created = await this.organizations.create(
      { name, timeZone: time_zone, requiresSecondFactor: requires_second_factor },
      plan,
      doerOf(person, request),
    );
    return this.answer(created, person);
  }

  @Get(':organizationId')
  @ApiOperation({ summary: 'One organization' })
  @AnswersOne(ORGANIZATION)
  @Refuses('not_found')
  async one(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return this.answer(await this.organizations.one(doerOf(person, request), uuid), person);
  }

  @Patch(':organizationId')
  @NeedsIfMatch()
  @ApiOperation({
    summary: 'Change its name, its time zone, whether its members need a second factor, or its plan',
    description: 'Another plan is for superusers to give. Its limits count within 30 seconds.',
  })
  @AnswersOne(ORGANIZATION)
  @Refuses('validation_failed', 'not_found', 'forbidden')
  async change(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) uuid: string,
    @Body() { name, time_zone, requires_second_factor, plan }: ChangeOrganizationBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const words = {
      ...(name === undefined ? {} : { name }),
      ...(time_zone === undefined ? {} : { timeZone: time_zone }),
      ...(requires_second_factor === undefined ? {} : { requiresSecondFactor: requires_second_factor }),
    };
    return this.answer(await this.organizations.change(uuid, words, plan, doerOf(person, request)), person);
  }

  @Delete(':organizationId')
  @NeedsIfMatch()
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove it with its sites; it can be restored. For superusers' })
  @Refuses('not_found', 'forbidden')
  async remove(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.organizations.remove(uuid, doerOf(person, request));
  }

  @Post(':organizationId/restore')
  @HttpCode(200)
  @ApiOperation({ summary: 'Bring it back, with the sites that went with it and their keys. For superusers' })
  @AnswersOne(ORGANIZATION)
  @Refuses('not_found', 'forbidden')
  async restore(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return this.answer(await this.organizations.restore(uuid, doerOf(person, request)), person);
  }

  @Get(':organizationId/revisions')
  @ApiOperation({ summary: 'What it was, the newest first' })
  @AnswersList(REVISION)
  @Refuses('not_found', 'forbidden')
  async revisions(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) uuid: string,
    @Query() { page, per_page }: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const [rows, total] = await this.organizations.revisions(doerOf(person, request), uuid, { page, per_page });
    return new Answer(
      rows.map((row) => ({
        revision: row.revision,
        name: row.name,
        time_zone: row.timeZone,
        requires_second_factor: row.requiresSecondFactor,
        plan: row.plan,
        removed_at: row.removedAt?.toISOString() ?? null,
        changed_at: row.changedAt.toISOString(),
        changed_by: row.changedBy,
      })),
      { page: { page, per_page, total } },
    );
  }

  private async answer(organization: Organization, person: UserPrincipal): Promise<Answer<unknown>> {
    const self = `/api/v1/organizations/${organization.uuid}`;
    return new Answer(shown(organization, person, await this.plans.codes()), {
      revision: organization.revision,
      links: { self, members: `${self}/members`, revisions: `${self}/revisions` },
    });
  }
}

function shown(
  organization: Organization,
  person: UserPrincipal,
  plans: ReadonlyMap<number, string>,
): Record<string, unknown> {
  const membership = person.memberships.find(({ organizationId }) => organizationId === organization.id);
  return {
    id: organization.uuid,
    name: organization.name,
    time_zone: organization.timeZone,
    requires_second_factor: organization.requiresSecondFactor,
    plan: plans.get(organization.planId),
    revision: organization.revision,
    created_at: organization.createdAt.toISOString(),
    removed_at: organization.removedAt?.toISOString() ?? null,
    role: membership?.role ?? 'superuser',
  };
}
