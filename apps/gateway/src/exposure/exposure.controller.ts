import { Controller, Get, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExposureRow } from '#libs/contracts';
import { Answer } from '../http/answer.js';
import { csvFile } from '../http/csv-file.js';
import { AnswersList, Refuses } from '../http/openapi.decorator.js';
import { scopeOf } from '../identity/principal.js';
import type { Actor } from '../identity/principal.js';
import { AllowIntegrationKey, Asking } from '../login/asker.decorator.js';
import { ExposureListQuery } from './exposure.dto.js';
import { ReadExposures } from './read-exposures.service.js';

@ApiTags('Exposures')
@ApiBearerAuth()
@Controller('api/v1')
export class ExposureController {
  constructor(private readonly readExposures: ReadExposures) {}

  @Get('exposures')
  @AllowIntegrationKey('exposures:read')
  @ApiOperation({ summary: 'When which site ran something that a security release makes unsafe' })
  @AnswersList(ExposureRow)
  @Refuses('unknown_parameter', 'invalid_parameter')
  async list(
    @Asking() person: Actor,
    @Query() query: ExposureListQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Answer<unknown> | StreamableFile> {
    if (query.format === 'csv') return this.file(person, query, reply);
    const { items, total, asOf } = await this.readExposures.page(scopeOf(person), query);
    return new Answer(items, { page: { page: query.page, per_page: query.per_page, total }, asOf });
  }

  @Get(['exposures/export', 'exposures.csv'])
  @AllowIntegrationKey('exposures:read')
  @ApiOperation({ summary: 'All exposures that the filters let through, as a CSV file' })
  @ApiOkResponse({ description: 'OK', content: { 'text/csv': { schema: { type: 'string' } } } })
  async export(
    @Asking() person: Actor,
    @Query() query: ExposureListQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Req() request: FastifyRequest,
  ): Promise<Answer<unknown> | StreamableFile> {
    const asksForJson = query.format === 'json' && request.routeOptions.url?.endsWith('/export') === true;
    return asksForJson ? this.list(person, query, reply) : this.file(person, query, reply);
  }

  private async file(person: Actor, query: ExposureListQuery, reply: FastifyReply): Promise<StreamableFile> {
    const lines = await this.readExposures.csv(scopeOf(person), query);
    return csvFile('exposures', lines, reply);
  }
}
