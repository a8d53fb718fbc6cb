import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answer } from '../http/answer.js';
import { KeyIdPipe } from '../http/key-id.pipe.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { PageQuery } from '../http/parameters.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import type { ApiKey } from '../site-key/api-key.entity.js';
import { shownKey } from '../site-key/shown-key.js';
import { CreateIntegrationKeyBody, RotateIntegrationKeyBody } from './integration-key.dto.js';
import { CREATED_INTEGRATION_KEY, INTEGRATION_KEY } from './integration-key.schema.js';
import { ManageOrganizationKeys } from './manage-organization-keys.service.js';

@ApiTags('Keys')
@ApiBearerAuth()
@Controller('api/v1/organizations/:organizationId/integration-keys')
export class IntegrationKeyController {
  constructor(private readonly keys: ManageOrganizationKeys) {}

  @Get()
  @ApiOperation({ summary: 'The keys of programs, without their secrets, the newest first' })
  @AnswersList(INTEGRATION_KEY)
  @Refuses('not_found', 'forbidden')
  async list(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Query() { page, per_page }: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const doer = doerOf(person, request);
    const [keys, total] = await this.keys.list(organization, 'integration', { page, per_page }, doer);
    return new Answer(
      keys.map((key) => shown(key, key.creator)),
      { page: { page, per_page, total } },
    );
  }

  @Post()
  @ApiOperation({
    summary: 'A key for a program, shown this once',
    description:
      'The program sends it as `X-API-Key` and may do what the scopes say, in this organization alone. Needs a proof of who you are of the last five minutes.',
  })
  @AnswersOne(CREATED_INTEGRATION_KEY, 201)
  @Refuses('validation_failed', 'not_found', 'forbidden', 'step_up_required', 'too_many_keys')
  async create(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Body() { name, scopes, expires_in_days }: CreateIntegrationKeyBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const wish = { kind: 'integration', name, scopes, lifetimeDays: expires_in_days, mostUses: null } as const;
    const { text, key } = await this.keys.create(organization, wish, doerOf(person, request));
    return new Answer({ key: text, ...shown(key, person.uuid) }, { secret: true });
  }

  @Post(':keyId/rotate')
  @ApiOperation({ summary: 'Replace a key: the new one is shown this once, the old one goes on for a while' })
  @AnswersOne(CREATED_INTEGRATION_KEY, 201)
  @Refuses('validation_failed', 'not_found', 'forbidden', 'step_up_required', 'too_many_keys')
  async rotate(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('keyId', KeyIdPipe) keyId: string,
    @Body() { overlap_hours, expires_in_days }: RotateIntegrationKeyBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const pace = { overlapHours: overlap_hours, lifetimeDays: expires_in_days };
    const { text, key } = await this.keys.rotate(organization, keyId, pace, doerOf(person, request));
    return new Answer({ key: text, ...shown(key, person.uuid) }, { secret: true });
  }

  @Delete(':keyId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a key at once' })
  @Refuses('not_found', 'forbidden')
  async revoke(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('keyId', KeyIdPipe) keyId: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.keys.revoke(organization, 'integration', keyId, doerOf(person, request));
  }
}

function shown(key: ApiKey, creator: string | null): Record<string, unknown> {
  return {
    ...shownKey(key),
    name: key.name,
    scopes: key.scopes,
    created_by: creator,
  };
}
