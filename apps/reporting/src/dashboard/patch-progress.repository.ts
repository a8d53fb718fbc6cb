import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { patchProgress, RpcInput, RpcOutput } from '#libs/contracts';
import { daysBetweenSql, daysOf, daysSql, type DaysRow } from '../reading/days-distribution.js';
import { SqlConditions } from '../reading/sql-conditions.js';
import { lastContactSql, SILENT_AFTER_HOURS } from '../site-summary/silence.js';

export type PatchProgressInput = RpcInput<typeof patchProgress>;
type PatchProgress = RpcOutput<typeof patchProgress>;

@Injectable()
export class PatchProgressRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Ids and names of the advisories published in the range; a range without any is no error. */
  async advisories(input: PatchProgressInput): Promise<{ ids: number[]; names: string[] }> {
    const rows: { advisory_id: number; advisory: string }[] = await this.dataSource.query(
      `SELECT a.advisory_id, a.advisory FROM advisories a JOIN modules m USING (module_id)
       WHERE a.state = 'published' AND a.published_at >= $1::timestamptz AND a.published_at < $2::timestamptz
         AND ($3::text IS NULL OR m.module = $3)
       ORDER BY a.published_at, a.advisory`,
      [input.published_from, input.published_before, input.module ?? null],
    );
    return { ids: rows.map((row) => row.advisory_id), names: rows.map((row) => row.advisory) };
  }

  /**
   * Sites that the publication met: they had told of an inventory before the range's end, were not silent at its beginning, and
   * not removed. Only of them it is known how they stood; a site that fell silent before is no evidence.
   * Exposed are those with an exposure to one of the advisories by the end of the range (not those that installed an unsafe
   * version later), patched those of them on which all have closed.
   */
  async figures(input: PatchProgressInput, advisoryIds: readonly number[]): Promise<Omit<PatchProgress, 'advisories'>> {
    const watched = new SqlConditions().within(input.scope, 's');
    watched.add('u.first_observed_at < ?::timestamptz', input.published_before);
    watched.add(
      `${lastContactSql('u')} >= ?::timestamptz - interval '${SILENT_AFTER_HOURS} hours'`,
      input.published_from,
    );
    watched.add('s.removed_at IS NULL OR s.removed_at >= ?::timestamptz', input.published_from);
    const before = watched.parameter(input.published_before);
    const causes = watched.parameter(advisoryIds);
    const rows: { watched: number; exposed: number; patched: number; still_open: number; days: DaysRow }[] =
      await this.dataSource.query(
        `WITH watched AS (
           SELECT s.site_id FROM sites s JOIN site_summaries u USING (site_id) WHERE ${watched.sql}
         ), exposed AS (
           SELECT bool_and(e.state = 'closed') AND bool_or(e.reason = 'patched') AS patched, bool_or(e.state <> 'closed') AS standing,
                  ${daysBetweenSql('min(e.opened_at)', `max(e.closed_at) FILTER (WHERE e.reason = 'patched')`)} AS days
           FROM watched JOIN exposures e USING (site_id)
           WHERE e.retracted_at IS NULL AND e.cause_id = ANY (${causes}::int[]) AND e.opened_at < ${before}::timestamptz
           GROUP BY site_id
         )
         SELECT (SELECT count(*)::int FROM watched) AS watched, count(*)::int AS exposed,
                count(*) FILTER (WHERE patched)::int AS patched, count(*) FILTER (WHERE standing)::int AS still_open,
                ${daysSql('days', 'patched')} AS days
         FROM exposed`,
        watched.parameters,
      );
    const row = rows[0]!;
    return {
      sites_watched: row.watched,
      sites_exposed: row.exposed,
      sites_patched: row.patched,
      sites_still_open: row.still_open,
      days_to_patch: daysOf(row.days),
    };
  }

  /** How far reporting has come. */
  async progress(siteIds: readonly number[] | undefined): Promise<{
    sites: number;
    modules_without_history: number;
    inventories_applied: number;
    advisories: number;
  }> {
    const rows: { sites: number; without: number; inventories: number; advisories: number }[] =
      await this.dataSource.query(
        `SELECT count(*)::int AS sites, coalesce(sum(inventories), 0)::int AS inventories,
              (SELECT count(*)::int FROM modules m WHERE m.revision = 0
                 AND EXISTS (SELECT FROM version_statuses v JOIN site_modules i USING (version_id)
                             WHERE v.module_id = m.module_id AND i.current
                               AND ($1::int[] IS NULL OR i.site_id = ANY ($1)))) AS without,
              (SELECT count(*)::int FROM advisories) AS advisories
       FROM site_summaries WHERE inventories > 0 AND ($1::int[] IS NULL OR site_id = ANY ($1))`,
        [siteIds ?? null],
      );
    const row = rows[0]!;
    return {
      sites: row.sites,
      modules_without_history: row.without,
      inventories_applied: row.inventories,
      advisories: row.advisories,
    };
  }
}
