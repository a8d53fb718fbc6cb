import { Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { ProblemError } from '../http/problem.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import type { UserPrincipal } from '../identity/principal.js';
import { OpenWithoutSecondFactor, Person, Public } from '../login/asker.decorator.js';
import { loggedInAnswer } from './logged-in.js';
import { mustBeOwn } from './own-origin.js';
import { originOf } from './origin.js';
import { SessionTokens } from './session-tokens.service.js';
import { noRefreshCookie, refreshCookie, refreshTokenOf } from './session-cookie.js';
import { LOGGED_IN, SESSION } from './session.schema.js';
import { Sessions } from './sessions.service.js';

@ApiTags('Log-in')
@Controller('api/v1/auth')
export class SessionController {
  constructor(
    private readonly sessions: Sessions,
    private readonly sessionTokens: SessionTokens,
  ) {}

  @Post('refresh')
  @Public()
  @HttpCode(200)
  @ApiOperation({
    summary: 'A new access token for the refresh cookie, which is replaced',
    description:
      'Each refresh token is good once. One that comes again after ten seconds was copied: the session ends, for the thief and for you. Send `{}` as application/json.',
  })
  @AnswersOne(LOGGED_IN)
  @Refuses('invalid_refresh_token', 'foreign_origin', 'unsupported_media_type')
  async refresh(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<unknown>> {
    mustBeOwn(request);
    const token = refreshTokenOf(request.headers.cookie);
    if (token === null) throw new ProblemError('invalid_refresh_token', 'There is no refresh cookie. Log in.');
    try {
      const loggedIn = await this.sessionTokens.refresh(token, originOf(request));
      void reply.header('set-cookie', refreshCookie(loggedIn.refreshToken));
      return new Answer(loggedInAnswer(loggedIn), { secret: true });
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'invalid_refresh_token')
        void reply.header('set-cookie', noRefreshCookie());
      throw error;
    }
  }

  @Post('logout')
  @OpenWithoutSecondFactor()
  @ApiBearerAuth()
  @HttpCode(204)
  @ApiOperation({ summary: 'End this session' })
  async logout(
    @Person() person: UserPrincipal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.sessions.end(person, person.session.uuid, 'logged_out', originOf(request));
    void reply.header('set-cookie', noRefreshCookie()).header('clear-site-data', '"storage"');
  }

  @Get('sessions')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Where you are logged in: three places at most, each for 24 hours without use and 30 days' })
  @AnswersOne(Type.Array(SESSION))
  async list(@Person() person: UserPrincipal): Promise<Answer<unknown>> {
    const sessions = await this.sessions.list(person.id);
    return new Answer(
      sessions.map((session) => ({
        id: session.uuid,
        device: session.device,
        address: session.address,
        started_at: session.startedAt.toISOString(),
        last_seen_at: session.lastSeenAt.toISOString(),
        expires_at: session.expiresAt.toISOString(),
        current: session.uuid === person.session.uuid,
      })),
    );
  }

  @Delete('sessions/:sessionId')
  @ApiBearerAuth()
  @HttpCode(204)
  @ApiOperation({ summary: 'End one of your sessions; its tokens die at once' })
  @Refuses('not_found')
  async end(
    @Person() person: UserPrincipal,
    @Param('sessionId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    if (!(await this.sessions.end(person, uuid, 'revoked', originOf(request))))
      throw new ProblemError('not_found', 'You have no such session, or it is over.');
  }

  @Delete('sessions')
  @ApiBearerAuth()
  @HttpCode(204)
  @ApiOperation({ summary: 'End all of your sessions but this one' })
  async endOthers(@Person() person: UserPrincipal, @Req() request: FastifyRequest): Promise<void> {
    await this.sessions.endOthers(person, person.session.uuid, originOf(request));
  }
}
