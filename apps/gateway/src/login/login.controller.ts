import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsBoolean, IsString, MaxLength, MinLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { MailAddress } from '../http/mail-address.decorator.js';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import type { UserPrincipal } from '../identity/principal.js';
import { CHALLENGE_SECONDS } from '../second-factor/challenges.service.js';
import { loggedInAnswer } from '../session/logged-in.js';
import { originOf } from '../session/origin.js';
import { loginCookies } from '../session/session-cookie.js';
import { LOGGED_IN, USER } from '../session/session.schema.js';
import { OpenWithoutSecondFactor, Person, Public } from './asker.decorator.js';
import { ChangePassword } from './change-password.service.js';
import { LogIn } from './log-in.service.js';
import { StepUp } from './step-up.service.js';

export class LoginBody {
  @ApiProperty({ format: 'email', maxLength: 254 })
  @MailAddress()
  email: string;

  /** Taken as it is: not trimmed, not folded, not cut. */
  @ApiProperty({ maxLength: 1024 })
  @IsString()
  @MinLength(1)
  @MaxLength(1024)
  password: string;
}

export class ChangePasswordBody {
  @ApiProperty({ maxLength: 1024 })
  @IsString()
  @MinLength(1)
  @MaxLength(1024)
  current_password: string;

  /** Taken as it is: not trimmed, not folded, not cut. */
  @ApiProperty({ minLength: 15, maxLength: 1024, description: 'Its length counts, not what it is made of.' })
  @IsString()
  @MaxLength(1024)
  new_password: string;

  @ApiPropertyOptional({ default: true })
  @MayBeLeftOut()
  @IsBoolean()
  end_other_sessions: boolean = true;
}

export class StepUpBody {
  @ApiProperty({ maxLength: 1024 })
  @IsString()
  @MinLength(1)
  @MaxLength(1024)
  password: string;

  @ApiPropertyOptional({ maxLength: 32, description: 'Needed where your second factor is on.' })
  @MayBeLeftOut()
  @IsString()
  @MaxLength(32)
  code?: string;
}

const CODE_OWED = Type.Object({
  challenge: Type.String({
    description: 'A second factor is on: send this with a code to /api/v1/auth/second-factor.',
  }),
  expires_in: Type.Integer({ description: 'Seconds.' }),
});

const ME = Type.Intersect([
  USER,
  Type.Object({
    memberships: Type.Array(Type.Object({ organization_id: Type.String({ format: 'uuid' }), role: Type.String() })),
  }),
]);

@ApiTags('Log-in')
@Controller('api/v1/auth')
export class LoginController {
  constructor(
    private readonly logIn: LogIn,
    private readonly changePassword: ChangePassword,
    private readonly proveAgain: StepUp,
  ) {}

  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Log in by e-mail address and password',
    description:
      'The access token is good for 15 minutes. The cookie `__Host-patchwatch-refresh` that comes with it gets the next one from `/api/v1/auth/refresh`. You can be logged in at three places; `meta.sessions_ended` tells how many others had to end.',
  })
  @AnswersOne(Type.Union([LOGGED_IN, CODE_OWED]))
  @Refuses('validation_failed', 'invalid_credentials', 'too_many_attempts', 'unavailable')
  async login(
    @Body() body: LoginBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<unknown>> {
    const loggedIn = await this.logIn.logIn(body.email, body.password, originOf(request));
    if ('challenge' in loggedIn)
      return new Answer({ challenge: loggedIn.challenge, expires_in: CHALLENGE_SECONDS }, { secret: true });
    void reply.header('set-cookie', loginCookies(loggedIn));
    return new Answer(loggedInAnswer(loggedIn), { secret: true, meta: { sessions_ended: loggedIn.ended } });
  }

  @Post('password')
  @ApiBearerAuth()
  @HttpCode(204)
  @ApiOperation({ summary: 'Change your password; elsewhere you are logged out, unless you wish otherwise' })
  @Refuses('validation_failed', 'wrong_password', 'too_many_attempts')
  async password(
    @Person() person: UserPrincipal,
    @Body() body: ChangePasswordBody,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const { current_password, new_password, end_other_sessions } = body;
    await this.changePassword.change(
      person,
      { current: current_password, wanted: new_password, endOtherSessions: end_other_sessions },
      originOf(request),
    );
  }

  @Post('step-up')
  @OpenWithoutSecondFactor()
  @ApiBearerAuth()
  @HttpCode(204)
  @ApiOperation({ summary: 'Prove once more who you are; for five minutes you may do what is sensitive' })
  @Refuses('validation_failed', 'wrong_password', 'invalid_code', 'too_many_attempts')
  async stepUp(
    @Person() person: UserPrincipal,
    @Body() body: StepUpBody,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.proveAgain.prove(person, body.password, body.code, originOf(request));
  }

  @Get('me')
  @OpenWithoutSecondFactor()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Who you are' })
  @AnswersOne(ME)
  me(@Person() { uuid, email, name, superuser, memberships, revision }: UserPrincipal): Answer<unknown> {
    return new Answer(
      {
        id: uuid,
        email,
        name,
        superuser,
        memberships: memberships.map(({ organizationUuid, role }) => ({ organization_id: organizationUuid, role })),
      },
      { revision },
    );
  }
}
