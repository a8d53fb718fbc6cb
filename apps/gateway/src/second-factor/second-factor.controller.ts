import { Body, Controller, Delete, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsString, Matches, MaxLength, MinLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import type { UserPrincipal } from '../identity/principal.js';
import { OpenWithoutSecondFactor, Person, Public } from '../login/asker.decorator.js';
import { LogIn } from '../login/log-in.service.js';
import { StepUp } from '../login/step-up.service.js';
import { loggedInAnswer } from '../session/logged-in.js';
import { originOf } from '../session/origin.js';
import { loginCookies } from '../session/session-cookie.js';
import { LOGGED_IN } from '../session/session.schema.js';
import { ManageSecondFactor } from './manage-second-factor.service.js';

export class SecondFactorBody {
  @ApiProperty({ maxLength: 100, description: 'From the answer of the log-in.' })
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  challenge: string;

  @ApiProperty({ maxLength: 32, description: 'Six digits of the app, or a backup code.' })
  @IsString()
  @MinLength(1)
  @MaxLength(32)
  code: string;
}

export class ConfirmBody {
  @ApiProperty({ pattern: '^[0-9]{6}$', description: 'What the app shows.' })
  @Matches(/^[0-9]{6}$/, { message: '$property must be six digits' })
  code: string;
}

const STATE = Type.Object({
  enabled: Type.Boolean(),
  since: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  backup_codes_left: Type.Integer(),
});
const ENROLMENT = Type.Object({
  secret: Type.String({ description: 'In base 32, to be typed. It is shown now and never again.' }),
  uri: Type.String({ description: 'To be shown as a QR code.' }),
});
const CODES = Type.Object({
  backup_codes: Type.Array(Type.String(), { description: 'Each is good once. They are shown now and never again.' }),
});

@ApiTags('Log-in')
@Controller('api/v1/auth')
export class SecondFactorController {
  constructor(
    private readonly logIn: LogIn,
    private readonly manage: ManageSecondFactor,
    private readonly stepUp: StepUp,
  ) {}

  @Post('second-factor')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'Finish a log-in that asked for a code' })
  @AnswersOne(LOGGED_IN)
  @Refuses('validation_failed', 'invalid_challenge', 'invalid_code', 'too_many_attempts')
  async finish(
    @Body() body: SecondFactorBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<unknown>> {
    const loggedIn = await this.logIn.finish(body.challenge, body.code, originOf(request));
    void reply.header('set-cookie', loginCookies(loggedIn));
    return new Answer(loggedInAnswer(loggedIn), { secret: true, meta: { sessions_ended: loggedIn.ended } });
  }

  @Get('two-factor')
  @OpenWithoutSecondFactor()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Whether a code is needed to log in as you' })
  @AnswersOne(STATE)
  async show(@Person() person: UserPrincipal): Promise<Answer<unknown>> {
    const { confirmedAt, backupCodesLeft } = await this.manage.state(person);
    return new Answer({
      enabled: confirmedAt !== null,
      since: confirmedAt?.toISOString() ?? null,
      backup_codes_left: backupCodesLeft,
    });
  }

  @Post('two-factor')
  @OpenWithoutSecondFactor()
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Begin to use an authenticator app; it counts once a code of it was confirmed' })
  @AnswersOne(ENROLMENT, 201)
  @Refuses('second_factor_on', 'step_up_required')
  async begin(@Person() person: UserPrincipal, @Req() request: FastifyRequest): Promise<Answer<unknown>> {
    this.stepUp.mustBeRecent(person);
    const { seed, uri } = await this.manage.begin(person, originOf(request));
    return new Answer({ secret: seed, uri }, { secret: true });
  }

  @Post('two-factor/confirm')
  @OpenWithoutSecondFactor()
  @ApiBearerAuth()
  @HttpCode(200)
  @ApiOperation({ summary: 'Turn it on by a code of the app; the answer has ten backup codes' })
  @AnswersOne(CODES)
  @Refuses('validation_failed', 'invalid_code', 'second_factor_off', 'second_factor_on', 'too_many_attempts')
  async confirm(
    @Person() person: UserPrincipal,
    @Body() body: ConfirmBody,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown>> {
    const codes = await this.manage.confirm(person, body.code, originOf(request));
    return new Answer({ backup_codes: codes }, { secret: true });
  }

  @Post('two-factor/backup-codes')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Ten new backup codes; the old ones are worth nothing any more' })
  @AnswersOne(CODES, 201)
  @Refuses('second_factor_off', 'step_up_required')
  async renew(@Person() person: UserPrincipal, @Req() request: FastifyRequest): Promise<Answer<unknown>> {
    this.stepUp.mustBeRecent(person);
    const codes = await this.manage.renewBackupCodes(person, originOf(request));
    return new Answer({ backup_codes: codes }, { secret: true });
  }

  @Delete('two-factor')
  @ApiBearerAuth()
  @HttpCode(204)
  @ApiOperation({ summary: 'Turn it off' })
  @Refuses('second_factor_off', 'step_up_required')
  async turnOff(@Person() person: UserPrincipal, @Req() request: FastifyRequest): Promise<void> {
    this.stepUp.mustBeRecent(person);
    await this.manage.turnOff(person, originOf(request));
  }
}
