import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { AnswersOne } from '../http/openapi.decorator.js';
import { Person } from '../login/asker.decorator.js';
import { People } from './people.service.js';
import { scopeOf } from './principal.js';
import type { UserPrincipal } from './principal.js';

const ORGANIZATIONS = Type.Array(
  Type.Object({
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    time_zone: Type.String(),
    created_at: Type.String({ format: 'date-time' }),
    role: Type.Union([
      Type.Literal('superuser'),
      Type.Literal('administrator'),
      Type.Literal('user'),
      Type.Literal('developer'),
    ]),
  }),
);

@ApiTags('Organizations')
@ApiBearerAuth()
@Controller('api/v1/organizations')
export class OrganizationController {
  constructor(private readonly people: People) {}

  @Get()
  @ApiOperation({ summary: 'The organizations you belong to; for a superuser all' })
  @AnswersOne(ORGANIZATIONS)
  async list(@Person() person: UserPrincipal): Promise<Answer<unknown>> {
    const roles = new Map(person.memberships.map((membership) => [membership.organizationId, membership.role]));
    const organizations = await this.people.organizations(scopeOf(person));
    return new Answer(
      organizations.map((organization) => ({
        id: organization.uuid,
        name: organization.name,
        time_zone: organization.timeZone,
        created_at: organization.createdAt.toISOString(),
        role: roles.get(organization.id) ?? 'superuser',
      })),
    );
  }
}
