import { Readable } from 'node:stream';
import { Controller, Get, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refuses } from '../http/openapi.decorator.js';
import { UuidPipe } from '../http/uuid.pipe.js';
import { doerOf } from '../identity/doer.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Person } from '../login/asker.decorator.js';
import { BeginExport } from './begin-export.service.js';
import { ExportData } from './export-data.service.js';
import type { ExportWish } from './export-permission.service.js';

/** What a file of lines is to the description of the API. */
const LINES = { description: 'OK', content: { 'application/x-ndjson': { schema: { type: 'string' } } } } as const;

@ApiTags('Exports')
@ApiBearerAuth()
@Controller('api/v1')
export class ExportController {
  constructor(
    private readonly begin: BeginExport,
    private readonly data: ExportData,
  ) {}

  @Get('organizations/:organizationId/export')
  @ApiOperation({
    summary: 'All that the platform holds of the organization, a line of JSON a row; needs a recent proof of who asks',
  })
  @ApiOkResponse(LINES)
  @Refuses('not_found', 'forbidden', 'step_up_required')
  async organization(
    @Person() person: UserPrincipal,
    @Param('organizationId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.file(await this.begin.organization(uuid, doerOf(person, request)), reply);
  }

  @Get('users/:userId/export')
  @ApiOperation({ summary: 'All that the platform holds of a person: your own, or as a superuser anybody’s' })
  @ApiOkResponse(LINES)
  @Refuses('not_found', 'forbidden', 'step_up_required')
  async person(
    @Person() person: UserPrincipal,
    @Param('userId', UuidPipe) uuid: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    return this.file(await this.begin.person(uuid.toLowerCase(), doerOf(person, request)), reply);
  }

  private file(wish: ExportWish, reply: FastifyReply): StreamableFile {
    void reply.header('cache-control', 'private, no-store');
    return new StreamableFile(Readable.from(this.data.lines(wish)), {
      type: 'application/x-ndjson',
      disposition: `attachment; filename="${wish.kind}-${wish.uuid}-${new Date().toISOString().slice(0, 10)}.ndjson"`,
    });
  }
}
