import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answer } from '../http/answer.js';
import { NeedsIfMatch } from '../http/needs-if-match.interceptor.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { PageQuery } from '../http/parameters.js';
import { PlanCodePipe } from '../http/plan-code.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import { described, ManagePlans } from './manage-plans.service.js';
import { ChangePlanBody, CreatePlanBody } from './plan.dto.js';
import type { Plan } from './plan.entity.js';
import { PLAN } from './plan.schema.js';

@ApiTags('Plans')
@ApiBearerAuth()
@Controller('api/v1/plans')
export class PlanController {
  constructor(private readonly plans: ManagePlans) {}

  @Get()
  @ApiOperation({ summary: 'The plans that organizations can have, by code' })
  @AnswersList(PLAN)
  async list(@Query() { page, per_page }: PageQuery): Promise<Answer<unknown>> {
    const [rows, total] = await this.plans.list({ page, per_page });
    return new Answer(rows.map(shown), { page: { page, per_page, total } });
  }

  @Post()
  @ApiOperation({ summary: 'Add a plan; for superusers' })
  @AnswersOne(PLAN, 201)
  @Refuses('validation_failed', 'forbidden', 'plan_exists')
  async create(
    @Person() person: UserPrincipal,
    @Body() body: CreatePlanBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const words = {
      name: body.name,
      figures: body.figures,
      personRequestsPerMinute: body.person_requests_per_minute,
      keyRequestsPerMinute: body.key_requests_per_minute,
      pushesPerMinute: body.pushes_per_minute,
      mostSites: body.most_sites,
      isDefault: body.is_default === true,
    };
    return one(await this.plans.create(body.code, words, doerOf(person, request)));
  }

  @Get(':planCode')
  @ApiOperation({ summary: 'One plan' })
  @AnswersOne(PLAN)
  @Refuses('not_found')
  async one(@Param('planCode', PlanCodePipe) code: string): Promise<Answer<unknown>> {
    return one(await this.plans.one(code));
  }

  @Patch(':planCode')
  @NeedsIfMatch()
  @ApiOperation({
    summary: 'Change a plan, or make it the default; for superusers',
    description:
      'New limits count within 30 seconds. Sites beyond a smaller `most_sites` stay; no further ones can be added.',
  })
  @AnswersOne(PLAN)
  @Refuses('validation_failed', 'not_found', 'forbidden')
  async change(
    @Person() person: UserPrincipal,
    @Param('planCode', PlanCodePipe) code: string,
    @Body() body: ChangePlanBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const words = {
      ...(body.name === undefined ? {} : { name: body.name }),
      ...(body.figures === undefined ? {} : { figures: body.figures }),
      ...(body.person_requests_per_minute === undefined
        ? {}
        : { personRequestsPerMinute: body.person_requests_per_minute }),
      ...(body.key_requests_per_minute === undefined ? {} : { keyRequestsPerMinute: body.key_requests_per_minute }),
      ...(body.pushes_per_minute === undefined ? {} : { pushesPerMinute: body.pushes_per_minute }),
      ...(body.most_sites === undefined ? {} : { mostSites: body.most_sites }),
      ...(body.is_default === undefined ? {} : { isDefault: body.is_default }),
    };
    return one(await this.plans.change(code, words, doerOf(person, request)));
  }

  @Delete(':planCode')
  @NeedsIfMatch()
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a plan that no organization has; for superusers' })
  @Refuses('not_found', 'forbidden', 'plan_is_default', 'plan_in_use')
  async remove(
    @Person() person: UserPrincipal,
    @Param('planCode', PlanCodePipe) code: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.plans.remove(code, doerOf(person, request));
  }
}

function one(plan: Plan): Answer<unknown> {
  return new Answer(shown(plan), { revision: plan.revision, links: { self: `/api/v1/plans/${plan.code}` } });
}

function shown(plan: Plan): Record<string, unknown> {
  return {
    code: plan.code,
    ...described(plan),
    revision: plan.revision,
    created_at: plan.createdAt.toISOString(),
    changed_at: plan.changedAt.toISOString(),
  };
}
