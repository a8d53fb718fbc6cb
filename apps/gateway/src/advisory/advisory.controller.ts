import { Controller, Get, Param, Query, Res, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { advisoryDetail, AdvisoryRow, AdvisorySiteRow } from '#libs/contracts';
import { Answer } from '../http/answer.js';
import { csvFile } from '../http/csv-file.js';
import { AnswersList, AnswersOne, Refuses } from '../http/openapi.decorator.js';
import { scopeOf } from '../identity/principal.js';
import type { Actor } from '../identity/principal.js';
import { AllowIntegrationKey, Asking } from '../login/asker.decorator.js';
import { AdvisoryListQuery, AdvisorySitesQuery } from './advisory.dto.js';
import { ReadAdvisories } from './read-advisories.service.js';

/** The instant goes to `meta`: the same advisory a second later has the same tag. */
const ADVISORY = Type.Omit((advisoryDetail.output as unknown as { anyOf: [Type.TObject] }).anyOf[0], ['as_of']);

@ApiTags('Advisories')
@ApiBearerAuth()
@Controller('api/v1/advisories')
export class AdvisoryController {
  constructor(private readonly advisories: ReadAdvisories) {}

  @Get()
  @AllowIntegrationKey('advisories:read')
  @ApiOperation({ summary: 'The security advisories, the newest first, and how many of your sites each hits' })
  @AnswersList(AdvisoryRow)
  @Refuses('unknown_parameter', 'invalid_parameter')
  async list(
    @Asking() person: Actor,
    @Query() query: AdvisoryListQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<unknown> | StreamableFile> {
    const scope = scopeOf(person);
    if (query.format === 'csv') return csvFile('advisories', await this.advisories.csv(scope, query), reply);
    const { items, meta } = await this.advisories.page(scope, query);
    return new Answer(items, {
      page: { page: query.page, per_page: query.per_page, total: meta.total },
      asOf: meta.as_of,
    });
  }

  @Get(':advisory')
  @AllowIntegrationKey('advisories:read')
  @ApiOperation({
    summary: 'One advisory with its versions: which of your sites it hits, and why it does not hit the others',
  })
  @AnswersOne(ADVISORY)
  @Refuses('unknown_parameter', 'not_found')
  async one(@Asking() person: Actor, @Param('advisory') id: string): Promise<Answer<unknown>> {
    const { as_of: asOf, ...advisory } = await this.advisories.one(scopeOf(person), id);
    const self = `/api/v1/advisories/${advisory.id}`;
    return new Answer(advisory, {
      asOf,
      links: {
        sites: `${self}/sites`,
        matched_sites: `${self}/sites?verdict=exposed,patched,removed`,
        unknown_sites: `${self}/sites?verdict=unknown`,
        unaffected_sites: `${self}/sites?verdict=unaffected`,
        exposures: `/api/v1/exposures?advisory=${advisory.id}`,
        voided_exposures: `/api/v1/exposures?advisory=${advisory.id}&reason=retracted`,
        module: `/api/v1/modules/${advisory.module}`,
      },
    });
  }

  @Get(':advisory/sites')
  @AllowIntegrationKey('advisories:read')
  @ApiOperation({ summary: 'How each of your sites stands to one advisory, and why; the exposed ones first' })
  @AnswersList(AdvisorySiteRow)
  @Refuses('unknown_parameter', 'invalid_parameter', 'not_found')
  async sites(
    @Asking() person: Actor,
    @Param('advisory') id: string,
    @Query() query: AdvisorySitesQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<unknown> | StreamableFile> {
    const scope = scopeOf(person);
    if (query.format === 'csv') {
      const lines = await this.advisories.sitesCsv(scope, id, query);
      return csvFile(`${id.toLowerCase()}-sites`, lines, reply);
    }
    const { items, meta } = await this.advisories.sites(scope, id, query);
    return new Answer(items, {
      page: { page: query.page, per_page: query.per_page, total: meta.total },
      asOf: meta.as_of,
      links: { advisory: `/api/v1/advisories/${id.toUpperCase()}` },
    });
  }
}
