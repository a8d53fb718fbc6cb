import { Injectable } from '@nestjs/common';
import { advisoryDetail, advisorySites, listAdvisories } from '#libs/contracts';
import type { AdvisoryRow, AdvisorySiteRow, RpcInput, RpcOutput, Scope } from '#libs/contracts';
import { csvPieces } from '../exposure/csv.js';
import type { Columns, ListPart } from '../exposure/csv.js';
import { isAdvisory } from '../exposure/exposure.dto.js';
import { ProblemError } from '../http/problem.js';
import { given } from '../question/given.js';
import { Questions } from '../question/questions.service.js';
import type { AdvisoryListQuery, AdvisorySitesQuery } from './advisory.dto.js';

type ListInput = RpcInput<typeof listAdvisories>;
type Detail = NonNullable<RpcOutput<typeof advisoryDetail>>;
type Sites = NonNullable<RpcOutput<typeof advisorySites>>;

/** Rows of one question of an export: the most that the contract allows. An export asks again and again; each may take its time. */
const EXPORT_ROWS = 1_000;
const EXPORT_DEADLINE_MS = 15_000;
/** Sites shown with an advisory, of each kind; all of them have a list of their own. */
const FIRST_SITES = 25;

const COLUMNS: Columns<AdvisoryRow> = [
  ['id', (row) => row.id],
  ['module', (row) => row.module],
  ['module_title', (row) => row.module_title],
  ['title', (row) => row.title],
  ['url', (row) => row.url],
  ['state', (row) => row.state],
  ['risk', (row) => row.risk],
  ['risk_score', (row) => row.risk_score],
  ['cves', (row) => row.cves.join(' ')],
  ['affected', (row) => row.affected],
  ['affected_d7', (row) => row.affected_d7],
  ['fixed', (row) => row.fixed.join(' ')],
  ['published_at', (row) => row.published_at],
  ['revision', (row) => row.revision],
  ['known_at', (row) => row.known_at],
  ['sites_exposed', (row) => row.sites_exposed],
  ['sites_open', (row) => row.sites_open],
  ['sites_patched', (row) => row.sites_patched],
  ['sites_unknown', (row) => row.sites_unknown],
];

const SITE_COLUMNS: Columns<AdvisorySiteRow> = [
  ['id', (row) => row.id],
  ['name', (row) => row.name],
  ['url', (row) => row.url],
  ['environment', (row) => row.environment],
  ['verdict', (row) => row.verdict],
  ['reason', (row) => row.reason],
  ['detail', (row) => row.detail],
  ['installed_version', (row) => row.installed_version],
  ['drupal_mark', (row) => row.drupal_mark],
  ['advisory_range', (row) => row.advisory_range],
  ['sources_differ', (row) => String(row.sources_differ)],
  ['opened_at', (row) => row.opened_at],
  ['closed_at', (row) => row.closed_at],
  ['voided_at', (row) => row.voided_at],
  ['last_push_at', (row) => row.last_push_at],
];

/** Reads advisories and how sites stand to them from reporting: a page for people, all of it as a file. */
@Injectable()
export class ReadAdvisories {
  constructor(private readonly questions: Questions) {}

  page(scope: Scope, query: AdvisoryListQuery): Promise<RpcOutput<typeof listAdvisories>> {
    const { page, per_page } = query;
    return this.questions.ask(listAdvisories, { ...listInput(scope, query), page, per_page });
  }

  /** It pages by key, so that rows which change meanwhile are neither left out nor told twice. */
  async csv(scope: Scope, query: AdvisoryListQuery): Promise<AsyncIterable<string>> {
    const input = { ...listInput(scope, query), page: 1, per_page: EXPORT_ROWS };
    const ask = (after?: string): Promise<RpcOutput<typeof listAdvisories>> =>
      this.questions.ask(listAdvisories, { ...input, ...(after === undefined ? {} : { after }) }, EXPORT_DEADLINE_MS);
    return csvPieces(COLUMNS, await ask(), ask);
  }

  /** @throws ProblemError `not_found` */
  async one(scope: Scope, id: string): Promise<Detail> {
    return found(await this.questions.ask(advisoryDetail, { scope, advisory: advisoryOf(id), sites: FIRST_SITES }));
  }

  /** @throws ProblemError `not_found` */
  async sites(scope: Scope, id: string, query: AdvisorySitesQuery): Promise<Sites> {
    const { page, per_page } = query;
    return found(await this.questions.ask(advisorySites, { ...sitesInput(scope, id, query), page, per_page }));
  }

  /** By number of page: whoever reads a fleet's list by name meets every site. @throws ProblemError `not_found` */
  async sitesCsv(scope: Scope, id: string, query: AdvisorySitesQuery): Promise<AsyncIterable<string>> {
    const ask = async (after = '1'): Promise<ListPart<AdvisorySiteRow>> => {
      const page = Number(after);
      const { items, meta } = found(
        await this.questions.ask(
          advisorySites,
          { ...sitesInput(scope, id, query), page, per_page: EXPORT_ROWS },
          EXPORT_DEADLINE_MS,
        ),
      );
      return { items, next: page * EXPORT_ROWS < meta.total ? String(page + 1) : null };
    };
    return csvPieces(SITE_COLUMNS, await ask(), ask);
  }
}

/** Drupal.org writes ids in upper case; people do not. @throws ProblemError `not_found` for what can be none */
function advisoryOf(id: string): string {
  if (!isAdvisory(id)) throw nothingThere();
  return id.toUpperCase();
}

function found<T>(answer: T | null): T {
  if (answer === null) throw nothingThere();
  return answer;
}

function nothingThere(): ProblemError {
  return new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
}

function listInput(scope: Scope, query: AdvisoryListQuery): Omit<ListInput, 'page' | 'per_page'> {
  const filters: Record<string, unknown> = {
    q: query.q,
    module: query.module,
    risk: query.risk,
    state: query.state,
    cve: query.cve?.map((cve) => cve.toUpperCase()),
    exposed: query.exposed,
    matched: query.matched,
    fixed: query.fixed,
    published_from: query['published_at[gte]'],
    published_before: query['published_at[lt]'],
  };
  return { scope, sort: query.sort ?? '-published_at', ...given(filters) };
}

function sitesInput(
  scope: Scope,
  id: string,
  { verdict, reason, sources_differ, q, sort }: AdvisorySitesQuery,
): Omit<RpcInput<typeof advisorySites>, 'page' | 'per_page'> {
  return {
    scope,
    advisory: advisoryOf(id),
    sort: sort ?? 'verdict',
    ...given({ verdict, reason, sources_differ, q }),
  };
}
