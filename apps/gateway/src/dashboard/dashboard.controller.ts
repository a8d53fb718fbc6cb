import { Controller, Get, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import Type from 'typebox';
import { dashboardOverview, patchProgress } from '#libs/contracts';
import { Answer, WrittenJson } from '../http/answer.js';
import { AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { Exactly, InstantParameter, isModuleName } from '../http/parameters.js';
import { ProblemError } from '../http/problem.js';
import { scopeOf } from '../identity/principal.js';
import type { Actor } from '../identity/principal.js';
import { AllowIntegrationKey, Asking } from '../login/asker.decorator.js';
import { given } from '../question/given.js';
import { Questions } from '../question/questions.service.js';

export class OverviewQuery {
  @InstantParameter('The fleet as it stood at this instant; default: now.')
  as_of?: string;
}

export class PatchProgressQuery {
  @InstantParameter('Advisories published at or after this instant. Needed.')
  'published_at[gte]'?: string;

  @InstantParameter('Advisories published before this instant. Needed.')
  'published_at[lt]'?: string;

  @Exactly('Only advisories of this module (`drupal`: core). ', isModuleName, 'one machine name')
  module?: string;
}

const OVERVIEW = Type.Omit(dashboardOverview.output as Type.TObject, ['as_of']);

@ApiTags('Dashboard')
@ApiBearerAuth()
@Controller('api/v1/dashboard')
export class DashboardController {
  constructor(private readonly questions: Questions) {}

  @Get('overview')
  @AllowIntegrationKey('dashboard:read')
  @ApiOperation({ summary: 'The fleet in figures, now or at an instant of the past' })
  @AnswersOne(OVERVIEW)
  async overview(@Asking() person: Actor, @Query() { as_of }: OverviewQuery): Promise<Answer<unknown>> {
    const { made, at } = await this.questions.askAgain(
      dashboardOverview,
      { scope: scopeOf(person), ...given({ as_of }) },
      // The instant goes to `meta`: the figures are the same a second later, and so is their tag.
      ({ as_of: instant, ...figures }) => ({ instant, figures: new WrittenJson(JSON.stringify(figures)) }),
    );
    // What was asked of the past is right as of then, whenever it was asked.
    const asOf = as_of === undefined ? (at ?? made.instant) : made.instant;
    // Of now without an instant, which would make another tag of the same figures.
    const standing = as_of === undefined ? 'state=open' : `open_at=${asOf}`;
    return new Answer(made.figures, { asOf, links: { exposures: `/api/v1/exposures?${standing}` } });
  }

  @Get('patch-progress')
  @AllowIntegrationKey('dashboard:read')
  @ApiOperation({ summary: 'Who was exposed to the advisories of some days, and how fast they were patched' })
  @AnswersOne(patchProgress.output)
  @Refuses('unknown_parameter', 'invalid_parameter')
  async patchProgress(@Asking() person: Actor, @Query() query: PatchProgressQuery): Promise<Answer<unknown>> {
    const from = query['published_at[gte]'];
    const before = query['published_at[lt]'];
    if (from === undefined || before === undefined) {
      const missing = from === undefined ? 'published_at[gte]' : 'published_at[lt]';
      throw new ProblemError('invalid_parameter', `The parameter "${missing}" is needed.`, {
        errors: [{ pointer: `/${missing}`, code: 'required', detail: 'is needed' }],
      });
    }
    const { module } = query;
    return new Answer(
      await this.questions.ask(patchProgress, {
        scope: scopeOf(person),
        published_from: from,
        published_before: before,
        ...(module === undefined ? {} : { module }),
      }),
    );
  }
}
