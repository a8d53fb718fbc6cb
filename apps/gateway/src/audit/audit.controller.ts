import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer, withParameter } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import type { Actor } from '../identity/principal.js';
import { AllowIntegrationKey, Asking } from '../login/asker.decorator.js';
import { AuditQuery } from './audit.dto.js';
import { ReadAuditLog } from './read-audit-log.service.js';

const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const LINE = Type.Object({
  id: Type.String({ description: 'Greater ids were written later.' }),
  at: Type.String({ format: 'date-time' }),
  organization_id: orNull(Type.String({ format: 'uuid' })),
  action: Type.String({ description: '`site.created`, `login.failed`, `request.refused`, …' }),
  outcome: Type.Union([Type.Literal('done'), Type.Literal('refused')]),
  reason: orNull(Type.String({ description: 'Code of a refusal.' })),
  actor: Type.String({ description: '`user:<id>`, `key:<key_id>`, `anonymous`, `platform`.' }),
  subject: orNull(Type.String()),
  address: orNull(Type.String()),
  request_id: orNull(Type.String()),
  occurrences: Type.Integer({ description: 'How often since the line before of its kind: floods become one line.' }),
  detail: Type.Object({}, { additionalProperties: true }),
});

@ApiTags('Audit')
@ApiBearerAuth()
@Controller('api/v1/audit')
export class AuditController {
  constructor(private readonly log: ReadAuditLog) {}

  @Get()
  @AllowIntegrationKey('audit:read')
  @ApiOperation({
    summary: 'Who did or tried what, the newest first; for administrators',
    description: 'Follow `links.next`. Lines are never changed: each is sealed into a chain that a command verifies.',
  })
  @AnswersOne(Type.Array(LINE))
  @Refuses('unknown_parameter', 'invalid_parameter', 'forbidden', 'not_found')
  async list(
    @Asking() actor: Actor,
    @Query() query: AuditQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const { cursor, per_page: perPage, organization, action, outcome, subject } = query;
    const { lines, next } = await this.log.page(actor, {
      cursor,
      perPage,
      organization,
      action,
      outcome,
      actor: query.actor,
      subject,
      from: query['at[gte]'],
      before: query['at[lt]'],
    });
    return new Answer(
      lines.map((line) => ({
        id: String(line.id),
        at: line.at.toISOString(),
        organization_id: line.organizationUuid,
        action: line.action,
        outcome: line.outcome,
        reason: line.reason,
        actor: line.actor,
        subject: line.subject,
        address: line.address,
        request_id: line.requestId,
        occurrences: line.occurrences,
        detail: line.detail,
      })),
      { links: { next: next === null ? null : withParameter(request.url, 'cursor', next) } },
    );
  }
}
