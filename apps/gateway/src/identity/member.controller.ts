import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answer } from '../http/answer.js';
import { NeedsIfMatch } from '../http/needs-if-match.interceptor.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { PageQuery } from '../http/parameters.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { Person } from '../login/asker.decorator.js';
import { doerOf } from './doer.js';
import { ChangeRoleBody } from './identity.dto.js';
import { MEMBER } from './identity.schema.js';
import { ManageMembers } from './manage-members.service.js';
import type { Member } from './membership.repository.js';
import type { UserPrincipal } from './principal.js';

@ApiTags('Organizations')
@ApiBearerAuth()
@Controller('api/v1/organizations/:organizationId/members')
export class MemberController {
  constructor(private readonly members: ManageMembers) {}

  @Get()
  @ApiOperation({ summary: 'Its members, by name' })
  @AnswersList(MEMBER)
  @Refuses('not_found')
  async list(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Query() { page, per_page }: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const [rows, total] = await this.members.list(doerOf(person, request), organization, { page, per_page });
    return new Answer(rows.map(shown), { page: { page, per_page, total } });
  }

  @Get(':userId')
  @ApiOperation({ summary: 'One member' })
  @AnswersOne(MEMBER)
  @Refuses('not_found')
  async one(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('userId', UuidPipe) user: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const member = await this.members.one(doerOf(person, request), organization, user);
    return new Answer(shown(member), { revision: member.revision });
  }

  @Patch(':userId')
  @NeedsIfMatch()
  @HttpCode(204)
  @ApiOperation({ summary: 'Give a member another role; it counts with her next request' })
  @Refuses('validation_failed', 'not_found', 'forbidden', 'last_administrator')
  async change(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('userId', UuidPipe) user: string,
    @Body() { role }: ChangeRoleBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<undefined>> {
    const revision = await this.members.changeRole(organization, user, role, doerOf(person, request));
    return new Answer(undefined, { revision });
  }

  @Delete(':userId')
  @NeedsIfMatch()
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a member, or leave; the account stays' })
  @Refuses('not_found', 'forbidden', 'last_administrator')
  async remove(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('userId', UuidPipe) user: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.members.remove(organization, user, doerOf(person, request));
  }
}

function shown({ uuid, email, name, active, role, revision, since }: Member): Record<string, unknown> {
  return { id: uuid, email, name, active, role, revision, since: since.toISOString() };
}
