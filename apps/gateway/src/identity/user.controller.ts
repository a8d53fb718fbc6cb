import { Body, Controller, Get, Param, Patch, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answer } from '../http/answer.js';
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

  @Patch('users/:userId')
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
    return new Answer(shown(await this.users.change(uuid, words, doerOf(person, request))));
  }

  @Patch('auth/me')
  @ApiOperation({ summary: 'Change your name' })
  @AnswersOne(ACCOUNT)
  @Refuses('validation_failed')
  async rename(
    @Person() person: UserPrincipal,
    @Body() { name }: ChangeProfileBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return new Answer(shown(await this.users.rename(name, doerOf(person, request))));
  }
}

function shown(user: User): Record<string, unknown> {
  return {
    id: user.uuid,
    email: user.email,
    name: user.name,
    active: user.active,
    superuser: user.superuser,
    created_at: user.createdAt.toISOString(),
  };
}
