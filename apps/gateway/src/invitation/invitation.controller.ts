import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsIn, IsString, MaxLength, MinLength } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { MailAddress } from '../http/mail-address.decorator.js';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { PageQuery } from '../http/parameters.js';
import { PlainText } from '../http/plain-text.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { UserPrincipal } from '../identity/principal.js';
import { ROLES } from '../identity/roles.js';
import type { Role } from '../identity/roles.js';
import { Person, Public } from '../login/asker.decorator.js';
import { originOf } from '../session/origin.js';
import { AcceptInvitation } from './accept-invitation.service.js';
import type { Invitation } from './invitation.entity.js';
import { ManageInvitations } from './manage-invitations.service.js';

export class InviteBody {
  @ApiProperty({ format: 'email', maxLength: 254 })
  @MailAddress()
  email: string;

  @ApiProperty({ enum: ROLES })
  @IsIn(ROLES)
  role: Role;
}

export class AcceptBody {
  @ApiProperty({ maxLength: 100, description: 'What stands behind the # of the link.' })
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  token: string;

  @ApiPropertyOptional({ maxLength: 255, description: 'Needed for a new account; else it is not looked at.' })
  @MayBeLeftOut()
  @PlainText(255)
  name?: string;

  @ApiProperty({ maxLength: 1024, description: 'Of the account that there is, or that there shall be.' })
  @IsString()
  @MinLength(1)
  @MaxLength(1024)
  password: string;
}

const INVITATION = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  role: Type.String(),
  created_at: Type.String({ format: 'date-time' }),
  expires_at: Type.String({ format: 'date-time' }),
});
const ACCEPTED = Type.Object({ email: Type.String(), organization: Type.String() });

@ApiTags('Organizations')
@Controller('api/v1')
export class InvitationController {
  constructor(
    private readonly invitations: ManageInvitations,
    private readonly acceptInvitation: AcceptInvitation,
  ) {}

  @Get('organizations/:organizationId/invitations')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Invitations that can still be accepted, the newest first' })
  @AnswersList(INVITATION)
  @Refuses('not_found', 'forbidden')
  async list(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Query() { page, per_page }: PageQuery,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const [rows, total] = await this.invitations.list(organization, doerOf(person, request), { page, per_page });
    return new Answer(rows.map(shown), { page: { page, per_page, total } });
  }

  @Post('organizations/:organizationId/invitations')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Invite an address; the link in the mail is good once, for seven days' })
  @AnswersOne(INVITATION, 201)
  @Refuses('validation_failed', 'not_found', 'forbidden')
  async invite(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Body() { email, role }: InviteBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return new Answer(shown(await this.invitations.invite(organization, { email, role }, doerOf(person, request))));
  }

  @Delete('organizations/:organizationId/invitations/:invitationId')
  @ApiBearerAuth()
  @HttpCode(204)
  @ApiOperation({ summary: 'Take an invitation back' })
  @Refuses('not_found', 'forbidden')
  async revoke(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) organization: string,
    @Param('invitationId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.invitations.revoke(organization, uuid, doerOf(person, request));
  }

  @Post('auth/invitation')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Accept an invitation, with the account you have or a new one; then log in' })
  @AnswersOne(ACCEPTED)
  @Refuses(
    'validation_failed',
    'invalid_link',
    'invalid_credentials',
    'last_administrator',
    'too_many_attempts',
    'unavailable',
  )
  async accept(
    @Body() { token, name, password }: AcceptBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    return new Answer(await this.acceptInvitation.accept({ token, name: name ?? null, password }, originOf(request)), {
      secret: true,
    });
  }
}

function shown({ uuid, email, role, createdAt, expiresAt }: Invitation): Record<string, unknown> {
  return { id: uuid, email, role, created_at: createdAt.toISOString(), expires_at: expiresAt.toISOString() };
}
