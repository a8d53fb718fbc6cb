import { Controller, Get, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import Type from 'typebox';
import { PUSH_STATES } from '#libs/contracts';
import { Answer } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import type { Principal } from '../identity/principal.js';
import { AllowIntegrationKey, AllowSiteKey, Asker } from '../login/asker.decorator.js';
import { PushState } from './push-state.service.js';

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const PUSH = Type.Object({
  push_id: Type.String({ format: 'uuid' }),
  state: Type.Union(PUSH_STATES.map((state) => Type.Literal(state))),
  reason: Nullable(Type.String({ description: 'Stable code.' })),
  detail: Nullable(Type.String()),
  epoch: Nullable(Type.Integer()),
  sequence: Nullable(Type.Integer()),
  received_at: Nullable(Type.String({ format: 'date-time' })),
  settled_at: Nullable(Type.String({ format: 'date-time' })),
  changes: Nullable(Type.Integer({ description: 'Modules added, updated and removed by it.' })),
});

@ApiTags('Pushes')
@Controller('api/v1/sites/:siteUuid/pushes')
export class PushStateController {
  constructor(private readonly pushState: PushState) {}

  @Get(':pushId')
  @AllowSiteKey()
  @AllowIntegrationKey('pushes:read')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Where a push stands: queued, applied, superseded, duplicate or dead, and why' })
  @AnswersOne(PUSH)
  @Refuses('not_found')
  async state(
    @Asker() asker: Principal,
    @Param('siteUuid', UuidPipe) siteUuid: string,
    @Param('pushId', UuidPipe) pushId: string,
  ): Promise<Answer<unknown>> {
    const receipt = await this.pushState.of(asker, siteUuid, pushId);
    const queued = {
      push_id: pushId,
      state: 'queued',
      reason: null,
      detail: null,
      epoch: null,
      sequence: null,
      received_at: null,
      settled_at: null,
      changes: null,
    };
    return new Answer(receipt ?? queued, { links: { site: `/api/v1/sites/${siteUuid}` } });
  }
}
