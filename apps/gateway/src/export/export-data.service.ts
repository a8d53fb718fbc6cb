import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ERASING_SERVICES, exportData, type ExportInput, type ExportOutput } from '#libs/contracts';
import { asSystem, asTenant } from '#libs/database';
import { exportRows } from '#libs/outbox';
import type { Logger } from '#libs/runtime';
import { Questions } from '../question/questions.service.js';
import { LOGGER } from '../tokens.js';
import { ExportPermission, type ExportWish } from './export-permission.service.js';

/** What the platform needs for itself, and would tell of others. */
const SKIPPED = ['idempotent_requests', 'audit_seals', 'audit_unsealed', 'erasures'];
/** Hashes and seeds by which people and keys prove who they are. */
const SECRET = /hash|secret|sealed|password|token/i;

/** Puts together what all services hold of an organization or a person: one line of JSON a row, as it is stored. */
@Injectable()
export class ExportData {
  constructor(
    private readonly dataSource: DataSource,
    private readonly questions: Questions,
    private readonly permission: ExportPermission,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * The lines of the file. The first says what it is; the last has `end`, how many rows there were, and the SHA-256 of everything before it: a file
   * without it was cut off. Read page by page as fast as they are taken; each page is of its own moment, and goes to who may have it at that moment.
   * @throws ProblemError when a service does not answer, or who asks may not go on; the lines end then
   */
  async *lines(wish: ExportWish): AsyncGenerator<string> {
    const { kind, uuid, who } = wish;
    const hash = createHash('sha256');
    const line = (value: unknown): string => {
      const text = `${JSON.stringify(value)}\n`;
      hash.update(text);
      return text;
    };
    yield line({ export: kind, id: uuid, format: 1, as_of: new Date().toISOString() });
    let rows = 0;
    for (const service of ['gateway', ...ERASING_SERVICES] as const) {
      let after: string | null = null;
      do {
        const page: ExportOutput = await this.page(wish, service, { ...who, after });
        for (const { table, row } of page.rows) {
          rows++;
          yield line({ service, table, row });
        }
        after = page.next;
      } while (after !== null);
    }
    yield `${JSON.stringify({ end: true, rows, sha256: hash.digest('hex') })}\n`;
  }

  /** A page, or the end of the file: whoever reads it has the first lines already, and can be told in no other way. */
  private async page(
    wish: ExportWish,
    service: 'gateway' | keyof typeof exportData,
    input: ExportInput,
  ): Promise<ExportOutput> {
    try {
      await this.permission.mustStillHold(wish);
      return await this.read(service, input);
    } catch (error) {
      this.logger.warn({ err: error, service }, 'an export was cut off');
      throw error;
    }
  }

  private read(service: 'gateway' | keyof typeof exportData, input: ExportInput): Promise<ExportOutput> {
    if (service !== 'gateway') return this.questions.ask(exportData[service], input, 15_000);
    const read = (): Promise<ExportOutput> =>
      exportRows(this.dataSource.manager, input, { skip: SKIPPED, secret: SECRET });
    // Said here and not taken from the request: whoever reads a stream runs outside of what began it.
    return input.person === null ? asTenant(input.scope, read) : asSystem(read);
  }
}
