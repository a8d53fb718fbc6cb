import { Injectable } from '@nestjs/common';
import { listExposures } from '#libs/contracts';
import type { ExposureRow, RpcInput, RpcOutput, Scope } from '#libs/contracts';
import { given } from '../question/given.js';
import { Questions } from '../question/questions.service.js';
import { writtenList, type WrittenList } from '../question/written-list.js';
import { csvPieces } from './csv.js';
import type { Columns } from './csv.js';
import type { ExposureListQuery } from './exposure.dto.js';

type Input = RpcInput<typeof listExposures>;

/** Rows of one question of an export: the most that the contract allows. */
const EXPORT_ROWS = 1_000;
/** An export asks again and again; each question may take its time. */
const EXPORT_DEADLINE_MS = 15_000;

const COLUMNS: Columns<ExposureRow> = [
  ['id', (row) => row.id],
  ['site_id', (row) => row.site_id],
  ['site_name', (row) => row.site_name],
  ['module', (row) => row.module],
  ['installed_version', (row) => row.installed_version],
  ['advisory', (row) => row.advisory],
  ['advisory_title', (row) => row.advisory_title],
  ['advisory_url', (row) => row.advisory_url],
  ['fixed_in', (row) => row.fixed_in.join(' ')],
  ['risk', (row) => row.risk],
  ['published_at', (row) => row.published_at],
  ['opened_at', (row) => row.opened_at],
  ['state', (row) => row.state],
  ['unknown_since', (row) => row.unknown_since],
  ['closed_at', (row) => row.closed_at],
  ['closed_after', (row) => row.closed_after],
  ['reason', (row) => row.reason],
  ['closed_version', (row) => row.closed_version],
  ['days', (row) => row.days],
  ['current_version', (row) => row.current_version],
  ['unknown_reason', (row) => row.unknown_reason],
  ['drupal_mark', (row) => row.drupal_mark],
  ['advisory_range', (row) => row.advisory_range],
  ['sources_differ', (row) => String(row.sources_differ)],
];

/** Reads exposures from reporting: a page for people, all of them as a file. */
@Injectable()
export class ReadExposures {
  constructor(private readonly questions: Questions) {}

  /** A page of the list. @throws as `Questions.askAgain` */
  async page(scope: Scope, query: ExposureListQuery): Promise<WrittenList> {
    const { page, per_page, sort } = query;
    const input = { scope, ...filters(query), page, per_page, sort: sort ?? '-opened_at' };
    const { made, at } = await this.questions.askAgain(listExposures, input, writtenList);
    return { ...made, asOf: at ?? made.asOf };
  }

  /**
   * The whole list as CSV, in pieces. It pages by key and not by number, so that rows which change meanwhile are neither
   * left out nor told twice. The first piece is asked for before anything is sent: what fails then is still a problem document.
   */
  async csv(scope: Scope, query: ExposureListQuery): Promise<AsyncIterable<string>> {
    const input: Input = { scope, ...filters(query), page: 1, per_page: EXPORT_ROWS, sort: query.sort ?? '-opened_at' };
    const ask = (after?: string): Promise<RpcOutput<typeof listExposures>> =>
      this.questions.ask(listExposures, { ...input, ...(after === undefined ? {} : { after }) }, EXPORT_DEADLINE_MS);
    return csvPieces(COLUMNS, await ask(), ask);
  }
}

/** The query's names in the contract's. */
function filters(query: ExposureListQuery): Partial<Input> {
  const all: Record<string, unknown> = {
    site: query.site,
    module: query.module,
    advisory: query.advisory,
    state: query.state,
    reason: query.reason,
    risk: query.risk,
    opened_from: query['opened_at[gte]'],
    opened_before: query['opened_at[lt]'],
    closed_from: query['closed_at[gte]'],
    closed_before: query['closed_at[lt]'],
    published_from: query['published_at[gte]'],
    published_before: query['published_at[lt]'],
    open_at: query.open_at,
  };
  return given(all);
}
