import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { Answer } from '../http/answer.js';
import { MayBeLeftOut } from '../http/may-be-left-out.decorator.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { PlainText } from '../http/plain-text.decorator.js';
import type { EnrolmentKeyPrincipal } from '../identity/principal.js';
import { Enroller, OnlyEnrolmentKey } from '../login/asker.decorator.js';
import { SiteAddress } from '../site/site-address.js';
import { EnrolSite } from './enrol-site.service.js';

const ENVIRONMENTS = ['prod', 'stage', 'dev'] as const;

export class EnrolBody {
  @ApiProperty({ format: 'uuid', description: 'A random UUID that the agent makes once and keeps.' })
  @Matches(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i, { message: '$property must be a UUID' })
  agent_id: string;

  @ApiProperty({ example: 'https://www.example.org', description: 'Where people open the site.', maxLength: 2048 })
  @SiteAddress()
  url: string;

  @ApiPropertyOptional({ maxLength: 255, description: 'Default: the host of the address.' })
  @MayBeLeftOut()
  @PlainText(255)
  name?: string;

  @ApiPropertyOptional({ enum: ENVIRONMENTS, default: 'prod' })
  @MayBeLeftOut()
  @IsIn(ENVIRONMENTS)
  environment: (typeof ENVIRONMENTS)[number] = 'prod';
}

const ENROLLED = Type.Object({
  site: Type.Object({
    id: Type.String({ format: 'uuid' }),
    organization_id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    url: Type.String(),
    environment: Type.Union(ENVIRONMENTS.map((environment) => Type.Literal(environment))),
    created_at: Type.String({ format: 'date-time' }),
  }),
  key: Type.String({
    description: 'The whole key to push with. It is shown now and never again.',
    pattern: '^pw_site_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$',
  }),
  key_id: Type.String({ description: 'Names the key in lists and logs.' }),
});

@ApiTags('Sites')
@Controller('api/v1/enrolments')
export class EnrolmentController {
  constructor(private readonly enrolSite: EnrolSite) {}

  @Post()
  @OnlyEnrolmentKey()
  @HttpCode(201)
  @ApiOperation({
    summary: 'An agent registers its site and gets the key to push with, shown this once',
    description:
      'Idempotent: the same `agent_id` for the same address gets the same site (200), with a new key as long as the one before was never used; the one before is revoked. A site that has pushed, or that another agent or a person registered, is 409.',
  })
  @AnswersOne(ENROLLED, 201)
  @AnswersOne(ENROLLED, 200)
  @Refuses(
    'validation_failed',
    'invalid_api_key',
    'forbidden',
    'not_found',
    'site_registered',
    'enrolment_exhausted',
    'plan_limit_reached',
  )
  async enrol(
    @Enroller() by: EnrolmentKeyPrincipal,
    @Body() { agent_id, url, name, environment }: EnrolBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<unknown>> {
    const site = { agentId: agent_id.toLowerCase(), url, name, environment };
    const enrolled = await this.enrolSite.enrol(by, site, { requestId: request.id, address: request.ip });
    if (!enrolled.isNew) void reply.code(200);
    const self = `/api/v1/sites/${enrolled.uuid}`;
    return new Answer(
      {
        site: {
          id: enrolled.uuid,
          organization_id: by.organizationUuid,
          name: enrolled.name,
          url: enrolled.url,
          environment: enrolled.environment,
          created_at: enrolled.createdAt.toISOString(),
        },
        key: enrolled.key.text,
        key_id: enrolled.key.publicId,
      },
      { secret: true, links: { self, push: `${self}/modules/sync` } },
    );
  }
}
