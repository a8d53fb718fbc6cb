import { Body, Controller, Get, Param, Patch, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answer } from '../http/answer.js';
import { NeedsIfMatch } from '../http/needs-if-match.interceptor.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { Person } from '../login/asker.decorator.js';
import { doerOf } from './doer.js';
import { ChangeProfileBody, ChangeUserBody, UserListQuery } from './identity.dto.js';
import { ACCOUNT } from './identity.schema.js';
import { ManageUsers } from './manage-users.service.js';
import type { UserPrincipal } from './principal.js';
import type { User } from './user.entity.js';

@ApiTags('Users')
@ApiBearerAuth()
@Controller('api/v1')
export class UserController {
  constructor(private readonly users: ManageUsers) {}

  @Get('users')
  @ApiOperation({ summary: 'All accounts, by address; for superusers' })
  @AnswersList(ACCOUNT)
  @Refuses('forbidden')
  async list(
    @Person() person: UserPrincipal,
    @Query() { page, per_page, q, active }: UserListQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const filter = { ...(q === undefined ? {} : { q }), ...(active === undefined ? {} : { active }) };
    const [rows, total] = await this.users.list(doerOf(person, request), filter, { page, per_page });
    return new Answer(rows.map(shown), { page: { page, per_page, total } });
  }

  @Get('users/:userId')
  @ApiOperation({ summary: 'One account; for superusers' })
  @AnswersOne(ACCOUNT)
  @Refuses('not_found', 'forbidden')
  async one(
    @Person() person: UserPrincipal,
    @Param('userId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return one(await this.users.one(uuid, doerOf(person, request)));
  }

  @Patch('users/:userId')
  @NeedsIfMatch()
  @ApiOperation({ summary: 'Change, disable or enable an account, make it superuser or not; for superusers' })
  @AnswersOne(ACCOUNT)
  @Refuses('validation_failed', 'not_found', 'forbidden', 'last_administrator')
  async change(
    @Person() person: UserPrincipal,
    @Param('userId', UuidPipe) uuid: string,
    @Body() { name, active, superuser }: ChangeUserBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const words = {
      ...(name === undefined ? {} : { name }),
      ...(active === undefined ? {} : { active }),
      ...(superuser === undefined ? {} : { superuser }),
    };
    return one(await this.users.change(uuid, words, doerOf(person, request)));
  }

  @Patch('auth/me')
  @ApiOperation({
    summary: 'Change your name',
    description: 'With `If-Match` and the `ETag` of GET it is changed only if nobody did so meanwhile.',
  })
  @AnswersOne(ACCOUNT)
  @Refuses('validation_failed', 'precondition_failed')
  async rename(
    @Person() person: UserPrincipal,
    @Body() { name }: ChangeProfileBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return one(await this.users.rename(name, doerOf(person, request)));
  }
}

function one(user: User): Answer<unknown> {
  return new Answer(shown(user), { revision: user.revision });
}

function shown(user: User): Record<string, unknown> {
  return {
    id: user.uuid,
    email: user.email,
    name: user.name,
    active: user.active,
    superuser: user.superuser,
    revision: user.revision,
    created_at: user.createdAt.toISOString(),
  };
}
