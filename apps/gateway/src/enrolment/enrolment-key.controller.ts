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
import { CreateEnrolmentKeyBody } from '../integration-key/integration-key.dto.js';
import { CREATED_ENROLMENT_KEY, ENROLMENT_KEY } from '../integration-key/integration-key.schema.js';
import { ManageOrganizationKeys } from '../integration-key/manage-organization-keys.service.js';
import { Person } from '../login/asker.decorator.js';
import type { ApiKey } from '../site-key/api-key.entity.js';
import { shownKey } from '../site-key/shown-key.js';

@ApiTags('Keys')
@ApiBearerAuth()
@Controller('api/v1/organizations/:organizationId/enrolment-keys')
export class EnrolmentKeyController {
  constructor(private readonly keys: ManageOrganizationKeys) {}

  @Get()
  @ApiOperation({ summary: 'The keys by which agents register sites, without their secrets, the newest first' })
  @AnswersList(ENROLMENT_KEY)
  @Refuses('not_found', 'forbidden')
  async list(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Query() { page, per_page }: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const doer = doerOf(person, request);
    const [keys, total] = await this.keys.list(organization, 'enrolment', { page, per_page }, doer);
    return new Answer(
      keys.map((key) => shown(key, key.creator)),
      { page: { page, per_page, total } },
    );
  }

  @Post()
  @ApiOperation({
    summary: 'A key by which agents register their sites, shown this once',
    description:
      'It registers so many sites and ends by itself; it can do nothing else. Needs a proof of who you are of the last five minutes.',
  })
  @AnswersOne(CREATED_ENROLMENT_KEY, 201)
  @Refuses('validation_failed', 'not_found', 'forbidden', 'step_up_required', 'too_many_keys')
  async create(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Body() { name, most_sites, expires_in_days }: CreateEnrolmentKeyBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const wish = {
      kind: 'enrolment',
      name,
      scopes: ['enrol'],
      lifetimeDays: expires_in_days,
      mostUses: most_sites,
    } as const;
    const { text, key } = await this.keys.create(organization, wish, doerOf(person, request));
    return new Answer({ key: text, ...shown(key, person.uuid) }, { secret: true });
  }

  @Delete(':keyId')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a key at once; the sites it registered stay' })
  @Refuses('not_found', 'forbidden')
  async revoke(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('keyId', KeyIdPipe) keyId: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.keys.revoke(organization, 'enrolment', keyId, doerOf(person, request));
  }
}

function shown(key: ApiKey, creator: string | null): Record<string, unknown> {
  return {
    ...shownKey(key),
    name: key.name,
    created_by: creator,
    most_sites: key.mostUses,
    sites: key.uses,
  };
}
