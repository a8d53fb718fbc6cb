import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { MailAddress } from '../http/mail-address.decorator.js';
import { Refuses } from '../http/openapi.decorator.js';
import { CountAttempts } from '../login/count-attempts.service.js';
import { Public } from '../login/asker.decorator.js';
import { originOf } from '../session/origin.js';
import { AskReset } from './ask-reset.service.js';
import { ResetPassword } from './reset-password.service.js';

export class AskResetBody {
  @ApiProperty({ format: 'email', maxLength: 254 })
  @MailAddress()
  email: string;
}

export class ResetPasswordBody {
  @ApiProperty({ maxLength: 100, description: 'What stands behind the # of the link.' })
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  token: string;

  @ApiProperty({ minLength: 15, maxLength: 1024, description: 'Its length counts, not what it is made of.' })
  @IsString()
  @MaxLength(1024)
  new_password: string;
}

@ApiTags('Log-in')
@Public()
@Controller('api/v1/auth/password-reset')
export class PasswordResetController {
  constructor(
    private readonly attempts: CountAttempts,
    private readonly askReset: AskReset,
    private readonly resetPassword: ResetPassword,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiAcceptedResponse({ description: 'A mail goes to the address, when there is an account of it; no body' })
  @ApiOperation({ summary: 'Get a mail by which a new password can be set; the answer is the same for every address' })
  @Refuses('validation_failed', 'too_many_attempts', 'unavailable')
  async ask(@Body() { email }: AskResetBody, @Req() request: FastifyRequest): Promise<void> {
    const origin = originOf(request);
    await this.attempts.mustBeFew(`reset ${email}`, 'password.reset_asked', origin);
    this.askReset.ask(email, origin);
  }

  @Post('confirm')
  @HttpCode(204)
  @ApiOperation({ summary: 'Set the new password; all of your sessions end, and you are not logged in by it' })
  @Refuses('validation_failed', 'invalid_link', 'too_many_attempts', 'unavailable')
  async confirm(@Body() { token, new_password }: ResetPasswordBody, @Req() request: FastifyRequest): Promise<void> {
    await this.resetPassword.reset(token, new_password, originOf(request));
  }
}
