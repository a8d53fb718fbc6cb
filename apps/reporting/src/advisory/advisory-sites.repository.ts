import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AdvisoryReason, AdvisoryVerdict, DrupalMark, RangeVerdict, Scope } from '#libs/contracts';
import { rangeSql } from '../reading/sources.js';
import { containing, SqlConditions } from '../reading/sql-conditions.js';
import { orderBy, type Sorting } from '../reading/sorting.js';
import { lastContactSql, reportingSql } from '../site-summary/silence.js';

/** The advisory that sites are held against. */
export interface JudgedBy {
  readonly advisoryId: number;
  readonly moduleId: number;
  readonly retracted: boolean;
  /** It names versions that can be compared. */
  readonly hasRange: boolean;
}

/** How one site stands to the advisory. */
export interface JudgedSite {
  readonly site_uuid: string;
  readonly name: string;
  readonly url: string;
  readonly environment: string;
  readonly verdict: AdvisoryVerdict;
  readonly reason: AdvisoryReason;
  readonly version: string | null;
  readonly mark: DrupalMark | null;
  /** What this advisory says of the installed version. */
  readonly range: RangeVerdict | null;
  /** What all advisories on the module say of it. */
  readonly covered: RangeVerdict | null;
  readonly exposure_uuid: string | null;
  readonly opened_at: Date | null;
  readonly closed_at: Date | null;
  readonly voided_at: Date | null;
  readonly heard_at: Date | null;
}

export interface SiteCount {
  readonly verdict: AdvisoryVerdict;
  readonly reason: AdvisoryReason;
  readonly sites: number;
  /** Of those: the two sources say different things. */
  readonly differing: number;
}

export interface SiteFilter {
  readonly verdict?: readonly string[];
  readonly reason?: readonly string[];
  readonly sources_differ?: boolean;
  readonly q?: string;
}

const VERDICT_RANK = `array_position(ARRAY['exposed','unknown','patched','removed','unaffected'], j.verdict)`;
const SORTS: Readonly<Record<string, string>> = {
  verdict: VERDICT_RANK,
  name: 'lower(j.name)',
  opened_at: 'j.opened_at',
  closed_at: 'j.closed_at',
};

/** As `sourcesOf`. */
const DIFFER = `((mark IS NOT DISTINCT FROM 'insecure' AND coalesce(covered, 'unaffected') = 'unaffected')
  OR (mark IS NOT DISTINCT FROM 'not_insecure' AND range IS NOT DISTINCT FROM 'affected'))`;

@Injectable()
export class AdvisorySitesRepository {
  /**
   * How many sites stand how, and the first of each list (matched, unknown, unaffected), each as the list of sites begins.
   * @param most of each list
   */
  async overview(
    tx: EntityManager,
    asked: { readonly scope: Scope; readonly now: Date; readonly most: number },
    by: JudgedBy,
  ): Promise<{ counts: SiteCount[]; first: JudgedSite[] }> {
    const where = new SqlConditions();
    const judged = judgedSql(where, asked.scope, by, asked.now);
    const rows: ({ counts: SiteCount[] | null } & JudgedSite)[] = await tx.query(
      `${judged}, counted AS (
         SELECT jsonb_agg(c) AS counts
         FROM (SELECT j.verdict, j.reason, count(*) AS sites, count(*) FILTER (WHERE j.differ) AS differing
               FROM judged j GROUP BY j.verdict, j.reason) c
       ), placed AS (
         SELECT j.*, row_number() OVER (PARTITION BY CASE WHEN j.verdict IN ('unknown', 'unaffected') THEN j.verdict END
                                        ORDER BY ${VERDICT_RANK}, lower(j.name), j.site_id) AS place
         FROM judged j
       )
       SELECT counted.counts, p.* FROM counted LEFT JOIN placed p ON p.place <= ${where.parameter(asked.most)}::int
       ORDER BY p.place`,
      where.parameters,
    );
    return { counts: rows[0]!.counts ?? [], first: rows.filter(({ site_uuid }) => site_uuid !== null) };
  }

  /** Exposures to it on sites in scope that were taken back. */
  async voided(tx: EntityManager, scope: Scope, by: JudgedBy): Promise<number> {
    const where = new SqlConditions()
      .within(scope, 'e')
      .add('e.cause_id = ?::int', by.advisoryId)
      .add('e.module_id = ?::int', by.moduleId)
      .add('e.retracted_at IS NOT NULL')
      .add('s.removed_at IS NULL');
    const rows: { voided: number }[] = await tx.query(
      `SELECT count(*)::int AS voided FROM exposures e JOIN sites s USING (site_id) WHERE ${where.sql}`,
      where.parameters,
    );
    return rows[0]!.voided;
  }

  /** One page of the sites that fit, and how many fit. */
  async page(
    tx: EntityManager,
    asked: { readonly scope: Scope; readonly filter: SiteFilter; readonly sorting: Sorting; readonly now: Date },
    by: JudgedBy,
    paging: { readonly page: number; readonly per_page: number },
  ): Promise<{ items: JudgedSite[]; total: number }> {
    const where = new SqlConditions();
    const judged = judgedSql(where, asked.scope, by, asked.now);
    const fits = fitting(where, asked.filter);
    const { sorting } = asked;
    // Sites that stand alike are found by name.
    const order =
      sorting.field === 'verdict'
        ? `${orderBy(VERDICT_RANK, sorting, 'lower(j.name)')}, j.site_id`
        : orderBy(SORTS[sorting.field]!, sorting, 'j.site_id');
    const rows: ({ total: number } & { [K in keyof JudgedSite]: JudgedSite[K] | null })[] = await tx.query(
      `${judged}, fitting AS MATERIALIZED (SELECT * FROM judged WHERE ${fits}), page AS (
         SELECT j.*, row_number() OVER (${order}) AS place FROM fitting j ${order}
         LIMIT ${where.parameter(paging.per_page)}::int OFFSET ${where.parameter((paging.page - 1) * paging.per_page)}::int
       )
       SELECT counted.total, p.* FROM (SELECT count(*)::int AS total FROM fitting) counted LEFT JOIN page p ON true
       ORDER BY p.place`,
      where.parameters,
    );
    const items = rows.filter(({ site_uuid }) => site_uuid !== null) as unknown as JudgedSite[];
    return { items, total: rows[0]!.total };
  }
}

export const ADVISORY_SITE_SORT_FIELDS = Object.keys(SORTS);

function fitting(where: SqlConditions, { verdict, reason, sources_differ, q }: SiteFilter): string {
  const any = (column: string, values: readonly string[] | undefined): string[] =>
    values === undefined ? [] : [`${column} = ANY (${where.parameter(values)}::text[])`];
  const conditions = [...any('verdict', verdict), ...any('reason', reason)];
  if (sources_differ !== undefined) conditions.push(`differ = ${where.parameter(sources_differ)}::boolean`);
  if (q !== undefined) {
    const pattern = where.parameter(containing(q));
    conditions.push(`(name ILIKE ${pattern} OR url ILIKE ${pattern})`);
  }
  return conditions.length === 0 ? 'true' : conditions.join(' AND ');
}

/**
 * WITH … `judged`: every site in scope with its verdict and the reason. An exposure counts before what the site runs now; what nobody can
 * judge, what is not told and what is not heard any more is unknown, never safe.
 */
function judgedSql(where: SqlConditions, scope: Scope, by: JudgedBy, now: Date): string {
  const sites = new ScopedConditions(where).within(scope, 's').add('s.removed_at IS NULL').sql;
  const ofScope = (alias: string): string => new ScopedConditions(where).within(scope, alias).sql;
  const cause = `${where.parameter(by.advisoryId)}::int`;
  const module = `${where.parameter(by.moduleId)}::int`;
  const hasRange = `${where.parameter(by.hasRange)}::boolean`;
  const retracted = `${where.parameter(by.retracted)}::boolean`;
  return `
  WITH versions AS MATERIALIZED (
    SELECT v.version_id, v.version, v.mark, ${rangeSql('v')} AS covered,
           coalesce((SELECT x.verdict FROM vulnerable_versions x WHERE x.version_id = v.version_id AND x.cause_id = ${cause}),
                    CASE WHEN NOT ${retracted} THEN 'unaffected' END) AS range
    FROM version_statuses v WHERE v.module_id = ${module}
  ), running AS (
    SELECT i.site_id, v.* FROM versions v JOIN site_modules i USING (version_id) WHERE i.current AND ${ofScope('i')}
  ), episodes AS (
    SELECT DISTINCT ON (e.site_id) e.site_id, e.exposure_uuid, e.state, e.reason, e.opened_at, e.closed_at
    FROM exposures e WHERE e.cause_id = ${cause} AND e.module_id = ${module} AND e.retracted_at IS NULL AND ${ofScope('e')}
    ORDER BY e.site_id, e.opened_at DESC, e.exposure_id DESC
  ), voided AS (
    SELECT e.site_id, max(e.retracted_at) AS voided_at
    FROM exposures e WHERE e.cause_id = ${cause} AND e.module_id = ${module} AND e.retracted_at IS NOT NULL AND ${ofScope('e')}
    GROUP BY e.site_id
  ), beside AS (
    SELECT s.site_id, s.site_uuid, s.name, s.url, s.environment, r.version_id, r.version, r.mark, r.covered, r.range,
           e.exposure_uuid, e.opened_at, e.closed_at, o.voided_at, ${lastContactSql('u')} AS heard_at,
           CASE
             WHEN ${retracted} THEN 'unaffected retracted'
             WHEN e.state = 'open' THEN 'exposed version_affected'
             WHEN coalesce(u.inventories, 0) = 0 THEN 'unknown never_reported'
             WHEN r.range = 'unknown' THEN 'unknown ' || CASE
               WHEN NOT ${hasRange} THEN 'no_range'
               WHEN coalesce(btrim(r.version), '') = '' THEN 'no_version'
               WHEN r.version ~ 'dev|HEAD' THEN 'dev_version'
               ELSE 'unreadable_version' END
             WHEN r.version_id IS NULL AND e.state IS DISTINCT FROM 'closed' AND u.complete IS NOT TRUE THEN 'unknown inventory_incomplete'
             WHEN e.state = 'closed' AND e.reason = 'patched' THEN 'patched patched'
             WHEN e.state = 'closed' THEN 'removed removed'
             WHEN ${reportingSql('u', now)} = 'silent' THEN 'unknown silent'
             WHEN r.version_id IS NULL THEN 'unaffected not_installed'
             ELSE 'unaffected version_not_affected' END AS judgement
    FROM sites s
    LEFT JOIN site_summaries u USING (site_id)
    LEFT JOIN running r USING (site_id)
    LEFT JOIN episodes e USING (site_id)
    LEFT JOIN voided o USING (site_id)
    WHERE ${sites}
  ), judged AS MATERIALIZED (
    SELECT b.*, split_part(b.judgement, ' ', 1) AS verdict, split_part(b.judgement, ' ', 2) AS reason, ${DIFFER} AS differ
    FROM beside b
  )`;
}

/** Conditions that share the parameters of others. */
class ScopedConditions extends SqlConditions {
  constructor(private readonly shared: SqlConditions) {
    super();
  }

  override parameter(value: unknown): string {
    return this.shared.parameter(value);
  }
}
