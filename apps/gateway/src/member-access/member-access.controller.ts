import { Controller, Delete, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Refuses } from '../http/openapi.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import { CountAttempts } from '../login/count-attempts.service.js';
import { AskReset } from '../password-reset/ask-reset.service.js';
import { originOf } from '../session/origin.js';
import { ManageMemberAccess } from './manage-member-access.service.js';

@ApiTags('Organizations')
@ApiBearerAuth()
@Controller('api/v1/organizations/:organizationId/members/:userId')
export class MemberAccessController {
  constructor(
    private readonly access: ManageMemberAccess,
    private readonly attempts: CountAttempts,
    private readonly askReset: AskReset,
  ) {}

  @Delete('sessions')
  @HttpCode(204)
  @ApiOperation({ summary: 'End all sessions of a member at once; she can log in again' })
  @Refuses('not_found', 'forbidden')
  async endSessions(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('userId', UuidPipe) user: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.access.endSessions(organization, user, doerOf(person, request));
  }

  @Post('password-reset')
  @HttpCode(202)
  @ApiAcceptedResponse({ description: 'A mail goes to the address, when there is an account of it; no body' })
  @ApiOperation({
    summary: 'Have a mail sent to a member by which she can set a new password; the old one goes on until then',
  })
  @Refuses('not_found', 'forbidden', 'too_many_attempts')
  async reset(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('userId', UuidPipe) user: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const { email } = await this.access.mayHaveReset(organization, user, doerOf(person, request));
    const origin = originOf(request);
    await this.attempts.mustBeFew(`reset ${email}`, 'password.reset_asked', origin, `user:${person.uuid}`);
    this.askReset.ask(email, origin);
  }
}
