import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { advisoryDetail, AdvisorySiteRow, advisorySites, RpcInput, RpcOutput } from '#libs/contracts';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../clock.js';
import { sourcesOf } from '../reading/sources.js';
import { sortingOf } from '../reading/sorting.js';
import { AdvisoryFactsRepository, type AdvisoryFacts } from './advisory-facts.repository.js';
import { revisionRows } from './advisory-revisions.js';
import {
  ADVISORY_SITE_SORT_FIELDS,
  AdvisorySitesRepository,
  type JudgedBy,
  type JudgedSite,
  type SiteCount,
} from './advisory-sites.repository.js';
import { reasonSentence } from './site-reason.js';

type Detail = NonNullable<RpcOutput<typeof advisoryDetail>>;

/** Verdicts of sites that ran a version the advisory covers. */
const MATCHED = ['exposed', 'patched', 'removed'];

/** Answers what one advisory says, and how someone's sites stand to it. */
@Injectable()
export class ReadAdvisoryService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly advisories: AdvisoryFactsRepository,
    private readonly sites: AdvisorySitesRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** null: there is no such advisory. */
  async detail(input: RpcInput<typeof advisoryDetail>): Promise<RpcOutput<typeof advisoryDetail>> {
    const now = this.clock.now();
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      const facts = await this.advisories.find(tx, input.advisory);
      if (!facts) return null;
      const by = judgedBy(facts);
      const asked = { scope: input.scope, now, most: input.sites };
      const { counts, first } = await this.sites.overview(tx, asked, by);
      const rows = first.map((site) => siteRow(site, facts));
      return {
        ...facts.words,
        revisions: revisionRows(await this.advisories.revisions(tx, facts.words.id)),
        ...totals(counts),
        exposures_voided: await this.sites.voided(tx, input.scope, by),
        matched_sites: rows.filter(({ verdict }) => MATCHED.includes(verdict)),
        unknown_sites: rows.filter(({ verdict }) => verdict === 'unknown'),
        unaffected_sites: rows.filter(({ verdict }) => verdict === 'unaffected'),
        as_of: now.toISOString(),
      };
    });
  }

  /** null: there is no such advisory. @throws UnknownSortError */
  async sitesOf(input: RpcInput<typeof advisorySites>): Promise<RpcOutput<typeof advisorySites>> {
    const sorting = sortingOf(input.sort, ADVISORY_SITE_SORT_FIELDS, 'verdict');
    const now = this.clock.now();
    return this.dataSource.transaction('REPEATABLE READ', async (tx) => {
      const facts = await this.advisories.find(tx, input.advisory);
      if (!facts) return null;
      const { scope, page, per_page, ...filter } = input;
      const found = await this.sites.page(tx, { scope, filter, sorting, now }, judgedBy(facts), { page, per_page });
      return {
        items: found.items.map((site) => siteRow(site, facts)),
        meta: { total: found.total, as_of: now.toISOString() },
      };
    });
  }
}

function judgedBy({ advisoryId, moduleId, words }: AdvisoryFacts): JudgedBy {
  return {
    advisoryId,
    moduleId,
    retracted: words.state === 'retracted',
    hasRange: words.affected !== null || words.affected_d7 !== null || words.unsupported,
  };
}

function totals(counts: readonly SiteCount[]): Pick<Detail, 'sites' | 'reasons' | 'sites_differing'> {
  const sites = { total: 0, exposed: 0, unknown: 0, patched: 0, removed: 0, unaffected: 0 };
  const reasons: Record<string, number> = {};
  let differing = 0;
  for (const count of counts) {
    sites.total += count.sites;
    sites[count.verdict] += count.sites;
    reasons[count.reason] = (reasons[count.reason] ?? 0) + count.sites;
    differing += count.differing;
  }
  return { sites, reasons, sites_differing: differing };
}

function siteRow(site: JudgedSite, { words }: AdvisoryFacts): AdvisorySiteRow {
  const sources = sourcesOf(site.mark, site.range, site.covered);
  return {
    id: site.site_uuid,
    name: site.name,
    url: site.url,
    environment: site.environment,
    verdict: site.verdict,
    reason: site.reason,
    detail: reasonSentence({
      reason: site.reason,
      version: site.version,
      affected: words.affected,
      affectedD7: words.affected_d7,
      fixed: words.fixed,
      module: words.module_title ?? words.module,
      marked: site.mark === 'insecure',
      differ: sources.sources_differ,
    }),
    installed_version: site.version,
    ...sources,
    exposure_id: site.exposure_uuid,
    opened_at: site.opened_at?.toISOString() ?? null,
    closed_at: site.closed_at?.toISOString() ?? null,
    voided_at: site.voided_at?.toISOString() ?? null,
    last_push_at: site.heard_at?.toISOString() ?? null,
  };
}
