import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { IsEmail, IsString, MaxLength, MinLength } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person, Public } from './asker.decorator.js';
import { LogIn } from './log-in.service.js';

export class LoginBody {
  @ApiProperty({ format: 'email', maxLength: 254 })
  @IsEmail({ require_tld: false })
  @MaxLength(254)
  email: string;

  /** Taken as it is: not trimmed, not folded, not cut. */
  @ApiProperty({ maxLength: 1024 })
  @IsString()
  @MinLength(1)
  @MaxLength(1024)
  password: string;
}

const USER = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  name: Type.String(),
  superuser: Type.Boolean(),
});

const SESSION = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds.' }),
  user: USER,
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
  constructor(private readonly logIn: LogIn) {}

  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiOperation({ summary: 'An access token for e-mail address and password; it is good for 15 minutes' })
  @AnswersOne(SESSION)
  @Refuses('validation_failed', 'invalid_credentials', 'too_many_attempts', 'unavailable')
  async login(@Body() body: LoginBody, @Req() request: FastifyRequest): Promise<Answer<unknown>> {
    const { accessToken, expiresIn, user } = await this.logIn.logIn(body.email, body.password, {
      address: request.ip,
      requestId: request.id,
    });
    return new Answer(
      {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: expiresIn,
        user: { id: user.uuid, email: user.email, name: user.name, superuser: user.superuser },
      },
      { secret: true },
    );
  }

  @Get('me')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Who you are' })
  @AnswersOne(ME)
  me(@Person() { uuid, email, name, superuser, memberships }: UserPrincipal): Answer<unknown> {
    return new Answer({
      id: uuid,
      email,
      name,
      superuser,
      memberships: memberships.map(({ organizationUuid, role }) => ({ organization_id: organizationUuid, role })),
    });
  }
}
