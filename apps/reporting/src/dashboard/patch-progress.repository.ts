import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { patchProgress, RpcInput, RpcOutput } from '#libs/contracts';
import { daysBetweenSql, daysOf, daysSql, type DaysRow } from '../reading/days-distribution.js';
import { SqlConditions } from '../reading/sql-conditions.js';

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
   * Sites that the publication met: an inventory had come by the end of the range and the site was not removed by its beginning;
   * exposed are those with an exposure to one of the advisories, patched those of them on which all are closed.
   */
  async figures(input: PatchProgressInput, advisoryIds: readonly number[]): Promise<Omit<PatchProgress, 'advisories'>> {
    const watched = new SqlConditions().within(input.scope, 's');
    watched.add('u.first_observed_at < ?::timestamptz', input.published_before);
    watched.add('s.removed_at IS NULL OR s.removed_at >= ?::timestamptz', input.published_from);
    const [{ sites }]: [{ sites: number }] = await this.dataSource.query(
      `SELECT count(*)::int AS sites FROM sites s JOIN site_summaries u USING (site_id) WHERE ${watched.sql}`,
      watched.parameters,
    );
    const where = new SqlConditions().within(input.scope, 'e').add('e.retracted_at IS NULL');
    where.add('e.cause_id = ANY (?::int[])', advisoryIds);
    const rows: { exposed: number; patched: number; still_open: number; days: DaysRow }[] = await this.dataSource.query(
      `SELECT count(*)::int AS exposed, count(*) FILTER (WHERE patched)::int AS patched,
              count(*) FILTER (WHERE standing)::int AS still_open, ${daysSql('days', 'patched')} AS days
       FROM (SELECT bool_and(e.state = 'closed') AND bool_or(e.reason = 'patched') AS patched, bool_or(e.state <> 'closed') AS standing,
                    ${daysBetweenSql('min(e.opened_at)', `max(e.closed_at) FILTER (WHERE e.reason = 'patched')`)} AS days
             FROM exposures e JOIN sites s USING (site_id) WHERE ${where.sql} GROUP BY e.site_id) site`,
      where.parameters,
    );
    const row = rows[0]!;
    return {
      sites_watched: sites,
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
