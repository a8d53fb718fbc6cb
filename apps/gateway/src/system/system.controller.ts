import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import Type from 'typebox';
import { reportingProgress } from '#libs/contracts';
import { Answer } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { ProblemError } from '../http/problem.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import { SystemProgress } from './progress.service.js';

const PROGRESS = Type.Intersect([reportingProgress.output, Type.Object({ queued: Type.Integer() })]);

@ApiTags('System')
@ApiBearerAuth()
@Controller('api/v1/system')
export class SystemController {
  constructor(private readonly progress: SystemProgress) {}

  @Get('progress')
  @ApiOperation({ summary: 'Whether everything that was pushed has had its effect; for superusers' })
  @AnswersOne(PROGRESS)
  @Refuses('forbidden')
  async show(@Person() person: UserPrincipal): Promise<Answer<unknown>> {
    // Queues are the whole platform's: their lengths would tell one tenant of the others.
    if (!person.superuser) throw new ProblemError('forbidden', 'Only superusers see the whole platform.');
    return new Answer(await this.progress.now());
  }
}
