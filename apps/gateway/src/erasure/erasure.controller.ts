import { Body, Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ERASING_SERVICES } from '#libs/contracts';
import { Answer } from '../http/answer.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { PageQuery } from '../http/parameters.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import { BeginErasure } from './begin-erasure.service.js';
import { BeginErasureBody } from './erasure.dto.js';
import type { Erasure } from './erasure.entity.js';
import { hashOf } from './erasure-receipt.js';
import { ERASURE } from './erasure.schema.js';
import { ReadErasures } from './read-erasures.service.js';

@ApiTags('Erasures')
@ApiBearerAuth()
@Controller('api/v1/erasures')
export class ErasureController {
  constructor(
    private readonly begin: BeginErasure,
    private readonly erasures: ReadErasures,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Erase a removed organization, or a person, for good; needs a recent proof of who asks' })
  @AnswersOne(ERASURE, 202)
  @Refuses('validation_failed', 'not_found', 'forbidden', 'step_up_required', 'last_administrator')
  async create(
    @Person() person: UserPrincipal,
    @Body() { subject, id }: BeginErasureBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const doer = doerOf(person, request);
    const uuid = id.toLowerCase();
    const erasure = await (subject === 'user' ? this.begin.person(uuid, doer) : this.begin.organization(uuid, doer));
    return new Answer(described(erasure), { links: { self: `/api/v1/erasures/${erasure.uuid}` } });
  }

  @Get()
  @ApiOperation({ summary: 'All erasures, the newest first' })
  @AnswersList(ERASURE)
  @Refuses('forbidden')
  async list(
    @Person() person: UserPrincipal,
    @Query() { page, per_page }: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const [erasures, total] = await this.erasures.list(doerOf(person, request), { page, per_page });
    return new Answer(erasures.map(described), { page: { page, per_page, total } });
  }

  @Get(':erasureId')
  @ApiOperation({ summary: 'How far it is, and in the end its receipt' })
  @AnswersOne(ERASURE)
  @Refuses('not_found')
  async one(
    @Person() person: UserPrincipal,
    @Param('erasureId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return new Answer(described(await this.erasures.one(uuid, doerOf(person, request))));
  }
}

function described(erasure: Erasure): Record<string, unknown> {
  const { parts, round, receipt, finishedAt } = erasure;
  return {
    id: erasure.uuid,
    kind: erasure.kind,
    subjects: erasure.subjectUuids,
    cause: erasure.cause,
    state: finishedAt === null ? 'running' : 'done',
    requested_at: erasure.requestedAt.toISOString(),
    requested_by: erasure.requestedBy,
    finished_at: finishedAt?.toISOString() ?? null,
    round,
    services: Object.fromEntries(
      (['gateway', ...ERASING_SERVICES] as const).map((service) => [
        service,
        {
          state: service === 'gateway' || parts[service]?.round === round ? 'answered' : 'waiting',
          erased_rows: parts[service]?.erased ?? {},
        },
      ]),
    ),
    receipt: receipt === null ? null : (JSON.parse(receipt) as unknown),
    receipt_sha256: receipt === null ? null : hashOf(receipt),
  };
}
