import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

/** A list as a file to keep: `<name>-<day>.csv`. Nobody between may store it. */
export function csvFile(name: string, lines: AsyncIterable<string>, reply: FastifyReply): StreamableFile {
  void reply.header('cache-control', 'private, no-store');
  return new StreamableFile(Readable.from(lines), {
    type: 'text/csv; charset=utf-8',
    disposition: `attachment; filename="${name}-${new Date().toISOString().slice(0, 10)}.csv"`,
  });
}
