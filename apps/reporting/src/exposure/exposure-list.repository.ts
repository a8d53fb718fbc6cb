import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { DrupalMark, ExposureRow, listExposures, RangeVerdict, RpcInput } from '#libs/contracts';
import { daysBetweenSql, rounded } from '../reading/days-distribution.js';
import { rangeSql, sourcesOf } from '../reading/sources.js';
import { SqlConditions } from '../reading/sql-conditions.js';
import { orderBy, type Sorting } from '../reading/sorting.js';
import { riskRankSql } from '../site-summary/risk-rank.js';
import { whyUnknown, type Speaker } from '../version-status/why-unknown.js';
import { encodeCursor, type ExposureCursor } from './exposure-cursor.js';

export type ExposureListInput = RpcInput<typeof listExposures>;

const END = (now: string): string => `coalesce(e.closed_at, greatest(${now}, e.opened_at))`;

/** Expressions by sort; those that are never missing can be paged by key. */
const sortsAt = (now: string): Readonly<Record<string, string>> => ({
  opened_at: 'e.opened_at',
  published_at: 'e.published_at',
  closed_at: 'e.closed_at',
  days: `(${END(now)} - e.opened_at)`,
  risk: riskRankSql('a.risk'),
});
export const EXPOSURE_SORTS = Object.keys(sortsAt('now()'));
const PAGED_BY_KEY = ['opened_at', 'published_at'];

interface ExposureListRow {
  exposure_id: string;
  exposure_uuid: string;
  site_uuid: string;
  site_name: string;
  module: string;
  installed_version: string | null;
  advisory: string | null;
  advisory_title: string | null;
  advisory_url: string | null;
  fixed_in: string[];
  risk: ExposureRow['risk'];
  published_at: Date;
  opened_at: Date;
  state: ExposureRow['state'];
  unknown_since: Date | null;
  closed_at: Date | null;
  closed_after: Date | null;
  reason: ExposureRow['reason'];
  closed_version: string | null;
  current_version: string | null;
  speaker: Speaker;
  mark: DrupalMark | null;
  range: RangeVerdict | null;
  days: number;
  recorded_at: Date;
  sort_key: string;
}

/** What counting needs unless it asks for the risk. */
const COUNTED_FROM = 'FROM exposures e JOIN sites s USING (site_id)';
const FROM = `FROM exposures e JOIN sites s USING (site_id) JOIN modules m USING (module_id)
              LEFT JOIN advisories a ON a.advisory_id = e.cause_id`;

@Injectable()
export class ExposureListRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * One page of the exposures that fit, how many fit, and the cursor of the next page where paging by key is possible.
   * Retracted ones fit only when asked for by reason: they never were.
   */
  async page(
    input: ExposureListInput,
    sorting: Sorting,
    after: ExposureCursor | null,
    now: Date,
  ): Promise<{ items: ExposureRow[]; total: number; next: string | null }> {
    const nowSql = `'${now.toISOString()}'::timestamptz`;
    const sorts = sortsAt(nowSql);
    const sort = sorts[sorting.field]!;
    const where = conditions(input);
    const total = await this.count(input, where);
    if (after)
      where.add(
        `(${sort}, e.exposure_id) ${sorting.descending ? '<' : '>'} (?::timestamptz, ?::bigint)`,
        after.key,
        after.id,
      );
    const offset = after ? 0 : (input.page - 1) * input.per_page;
    const order = orderBy(sort, sorting, 'e.exposure_id', PAGED_BY_KEY.includes(sorting.field));
    const rows: ExposureListRow[] = await this.dataSource.query(
      `SELECT page.*, v.mark, v.range, i.version AS current_version
       FROM (
         SELECT e.exposure_id, e.exposure_uuid, e.site_id, e.module_id, s.site_uuid, s.name AS site_name, m.module,
                e.installed_version, a.advisory, a.title AS advisory_title, a.url AS advisory_url,
                coalesce(e.fixed_in, a.fixed, '{}') AS fixed_in, a.risk, e.published_at, e.opened_at, e.state, e.unknown_since,
                e.closed_at, e.closed_after, e.reason, e.closed_version,
                CASE WHEN e.cause_id = 0 THEN 'mark' WHEN coalesce(a.affected, a.affected_d7) IS NULL THEN 'advisory_without_range'
                     ELSE 'advisory_with_range' END AS speaker,
                ${daysBetweenSql('e.opened_at', END(nowSql))} AS days, e.recorded_at, ${sort}::text AS sort_key,
                row_number() OVER (${order}) AS place
         ${FROM} WHERE ${where.sql}
         ${order}
         LIMIT ${where.parameter(input.per_page)}::int OFFSET ${where.parameter(offset)}::int
       ) page
       LEFT JOIN LATERAL (
         SELECT v.mark, ${rangeSql('v')} AS range FROM version_statuses v
         WHERE v.module_id = page.module_id AND v.version IS NOT DISTINCT FROM page.installed_version LIMIT 1
       ) v ON true
       LEFT JOIN LATERAL (
         SELECT w.version FROM site_modules n JOIN version_statuses w USING (version_id)
         WHERE n.site_id = page.site_id AND n.module_id = page.module_id AND n.current
       ) i ON true
       ORDER BY page.place`,
      where.parameters,
    );
    const last = rows.length === input.per_page ? rows.at(-1) : undefined;
    const next =
      last && PAGED_BY_KEY.includes(sorting.field)
        ? encodeCursor({ sort: sorting, key: last.sort_key, id: Number(last.exposure_id) })
        : null;
    return { items: rows.map(exposureRow), total, next };
  }

  /** How many fit. How many stand open in all, every site's summary knows. */
  private async count(input: ExposureListInput, where: SqlConditions): Promise<number> {
    if (asksForAllOpen(input)) {
      const sites = new SqlConditions().within(input.scope, 's');
      const rows: { total: number }[] = await this.dataSource.query(
        `SELECT coalesce(sum(u.open_exposures), 0)::int AS total FROM sites s JOIN site_summaries u USING (site_id) WHERE ${sites.sql}`,
        sites.parameters,
      );
      return rows[0]!.total;
    }
    const rows: { total: number }[] = await this.dataSource.query(
      `SELECT count(*)::int AS total ${input.risk ? FROM : COUNTED_FROM} WHERE ${where.sql}`,
      where.parameters,
    );
    return rows[0]!.total;
  }
}

/** Members of the question that filter nothing. */
const NO_FILTERS = ['scope', 'page', 'per_page', 'sort', 'after'];

function asksForAllOpen({ state, ...others }: ExposureListInput): boolean {
  const filters = Object.entries(others).filter(([name, value]) => !NO_FILTERS.includes(name) && value !== undefined);
  return filters.length === 0 && state?.length === 1 && state[0] === 'open';
}

function conditions(input: ExposureListInput): SqlConditions {
  const where = new SqlConditions().within(input.scope, 'e');
  if (!input.reason?.includes('retracted')) where.add('e.retracted_at IS NULL');
  where
    .addIf(input.site, 's.site_uuid = ANY (?::uuid[])')
    .addIf(input.module, 'e.module_id = ANY (ARRAY(SELECT module_id FROM modules WHERE module = ANY (?::text[])))')
    .addIf(
      input.advisory,
      'e.cause_id = ANY (ARRAY(SELECT advisory_id FROM advisories WHERE advisory = ANY (?::text[])))',
    )
    .addIf(input.state, 'e.state = ANY (?::text[])')
    .addIf(input.reason, 'e.reason = ANY (?::text[])')
    .addIf(input.risk, 'a.risk = ANY (?::text[])')
    .addIf(input.opened_from, 'e.opened_at >= ?::timestamptz')
    .addIf(input.opened_before, 'e.opened_at < ?::timestamptz')
    .addIf(input.closed_from, 'e.closed_at >= ?::timestamptz')
    .addIf(input.closed_before, 'e.closed_at < ?::timestamptz')
    .addIf(input.published_from, 'e.published_at >= ?::timestamptz')
    .addIf(input.published_before, 'e.published_at < ?::timestamptz');
  if (input.open_at) {
    where.add('e.opened_at <= ?::timestamptz', input.open_at);
    where.add('e.closed_at IS NULL OR e.closed_at > ?::timestamptz', input.open_at);
  }
  return where;
}

function exposureRow(row: ExposureListRow): ExposureRow {
  return {
    id: row.exposure_uuid,
    site_id: row.site_uuid,
    site_name: row.site_name,
    module: row.module,
    installed_version: row.installed_version,
    advisory: row.advisory,
    advisory_title: row.advisory_title,
    advisory_url: row.advisory_url,
    fixed_in: row.fixed_in,
    risk: row.risk,
    published_at: row.published_at.toISOString(),
    opened_at: row.opened_at.toISOString(),
    state: row.state,
    unknown_since: row.unknown_since?.toISOString() ?? null,
    closed_at: row.closed_at?.toISOString() ?? null,
    closed_after: row.closed_after?.toISOString() ?? null,
    reason: row.reason,
    closed_version: row.closed_version,
    unknown_reason: row.state === 'unknown' ? whyUnknown(row.current_version, row.speaker) : null,
    current_version: row.current_version,
    ...sourcesOf(row.mark, row.range),
    days: rounded(row.days, 100),
    recorded_at: row.recorded_at.toISOString(),
  };
}
