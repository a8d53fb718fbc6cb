import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { dashboardOverview, RpcOutput, Scope } from '#libs/contracts';
import { daysBetweenSql, daysOf, daysSql, type Days, type DaysRow } from '../reading/days-distribution.js';
import { SqlConditions } from '../reading/sql-conditions.js';
import { riskRankSql } from '../site-summary/risk-rank.js';
import { instantSql } from './instant-sql.js';
import { NO_RISK } from './exposure-figures.js';
import type { OpenCounts } from './open-counts.js';
import { WORST_FIRST, WORST_SITES, worstSite, type WorstSiteRow } from './worst-site.js';

type Overview = RpcOutput<typeof dashboardOverview>;

/**
 * Figures over exposures at an instant of the past. An exposure stood at `t` when it had opened by then and closed only later; it was `unknown`
 * then, not open, when the version installed then is one that its cause cannot judge. Retracted ones never were.
 */
@Injectable()
export class ExposureFiguresRepository {
  /** What stood at an instant of the past. For now, the summaries know. */
  async countThen(tx: EntityManager, scope: Scope, instant: Date): Promise<OpenCounts> {
    const { sql, parameters } = standing(scope, instant);
    const rows: { open: number; unknown: number; site_modules: number; sites: number; oldest: Date | null }[] =
      await tx.query(
        `WITH standing AS MATERIALIZED (${sql}), pairs AS (
         SELECT site_id, module_id, count(*) AS open, min(opened_at) AS oldest FROM standing WHERE known GROUP BY site_id, module_id
       )
       SELECT coalesce(sum(open), 0)::int AS open, (SELECT count(*)::int FROM standing WHERE NOT known) AS unknown,
              count(*)::int AS site_modules, count(DISTINCT site_id)::int AS sites, min(oldest) AS oldest
       FROM pairs`,
        parameters,
      );
    const row = rows[0]!;
    return {
      open: row.open,
      unknown: row.unknown,
      openSiteModules: row.site_modules,
      exposedSites: row.sites,
      oldestOpenAt: row.oldest,
    };
  }

  /** Ages of what stood open at the instant. */
  async agesThen(tx: EntityManager, scope: Scope, instant: Date): Promise<Days> {
    const { sql, parameters } = standing(scope, instant);
    const rows: { ages: DaysRow }[] = await tx.query(
      `SELECT ${daysSql('age')} AS ages
       FROM (SELECT ${daysBetweenSql('opened_at', instantSql(instant))} AS age FROM (${sql}) standing WHERE known OFFSET 0) aged`,
      parameters,
    );
    return daysOf(rows[0]!.ages);
  }

  /** Open exposures by risk. */
  async openByRiskThen(tx: EntityManager, scope: Scope, instant: Date): Promise<Record<string, number>> {
    const { sql, parameters } = standing(scope, instant);
    const rows: { risk: string | null; open: number }[] = await tx.query(
      `WITH standing AS (${sql}), counted AS (
         SELECT cause_id, count(*) AS open FROM standing WHERE known GROUP BY cause_id
       )
       SELECT a.risk, sum(c.open)::int AS open
       FROM counted c LEFT JOIN advisories a ON a.advisory_id = c.cause_id
       GROUP BY a.risk ORDER BY ${riskRankSql('a.risk')} DESC NULLS LAST`,
      parameters,
    );
    return Object.fromEntries(rows.map((row) => [row.risk ?? NO_RISK, row.open]));
  }

  /** How many opened and closed in the 30 days before the instant. */
  async lastMonth(tx: EntityManager, scope: Scope, instant: Date): Promise<{ opened: number; closed: number }> {
    const within = (column: string): string =>
      `e.${column} > ${instantSql(instant)} - interval '30 days' AND e.${column} <= ${instantSql(instant)}`;
    const where = new SqlConditions().within(scope, 'e').add('e.retracted_at IS NULL');
    const rows: { opened: number; closed: number }[] = await tx.query(
      `SELECT (SELECT count(*)::int FROM exposures e WHERE ${where.sql} AND ${within('opened_at')}) AS opened,
              (SELECT count(*)::int FROM exposures e WHERE ${where.sql} AND ${within('closed_at')}) AS closed`,
      where.parameters,
    );
    return rows[0]!;
  }

  /** Days from opened to closed of what was patched in the 365 days before the instant. */
  async timeToPatch(tx: EntityManager, scope: Scope, instant: Date): Promise<Days> {
    const where = new SqlConditions()
      .within(scope, 'e')
      .add(`e.reason = 'patched' AND e.retracted_at IS NULL`)
      .add(`e.closed_at > ${instantSql(instant)} - interval '365 days' AND e.closed_at <= ${instantSql(instant)}`);
    const rows: { days: DaysRow }[] = await tx.query(
      `SELECT ${daysSql('days')} AS days
       FROM (SELECT ${daysBetweenSql('e.opened_at', 'e.closed_at')} AS days FROM exposures e WHERE ${where.sql} OFFSET 0) patched`,
      where.parameters,
    );
    return daysOf(rows[0]!.days);
  }

  /** Sum over sites of the days with at least one exposure standing, in the 90 days before the instant. */
  async siteDaysExposed(tx: EntityManager, scope: Scope, instant: Date): Promise<number> {
    const end = instantSql(instant);
    const start = `(${end} - interval '90 days')`;
    const where = new SqlConditions()
      .within(scope, 'e')
      .add('e.retracted_at IS NULL')
      .add(`e.opened_at < ${end}`)
      .add(`e.closed_at IS NULL OR e.closed_at > ${start}`);
    // Running maximum instead of a range type's union: the rows come by the thousand.
    const rows: { days: number }[] = await tx.query(
      `SELECT coalesce(sum(greatest(0, date_part('epoch', until - greatest(since, covered)) / 86400)), 0)::float8 AS days
       FROM (SELECT since, until,
                    coalesce(max(until) OVER (PARTITION BY site_id ORDER BY since, until
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), since) AS covered
             FROM (SELECT e.site_id, greatest(e.opened_at, ${start}) AS since, max(least(coalesce(e.closed_at, ${end}), ${end})) AS until
                   FROM exposures e WHERE ${where.sql} GROUP BY 1, 2) spans) steps`,
      where.parameters,
    );
    return Math.round(rows[0]!.days * 100) / 100;
  }

  /** The ten sites with most open exposures at the instant. */
  async worstSitesThen(tx: EntityManager, scope: Scope, instant: Date): Promise<Overview['worst_sites']> {
    const { sql, parameters } = standing(scope, instant);
    const rows: WorstSiteRow[] = await tx.query(
      `WITH worst AS (
         SELECT t.site_id, count(*)::int AS open, min(t.opened_at) AS since, max(${riskRankSql('a.risk')}) AS risk
         FROM (${sql}) t LEFT JOIN advisories a ON a.advisory_id = t.cause_id
         WHERE t.known GROUP BY t.site_id
         ORDER BY ${WORST_FIRST} LIMIT ${WORST_SITES}
       )
       SELECT s.site_uuid, s.name, w.open, w.since, w.risk FROM worst w JOIN sites s USING (site_id)
       ORDER BY w.open DESC, w.since, w.site_id`,
      parameters,
    );
    return rows.map(worstSite);
  }

  /** The ten advisories published last that met a site of the scope, with how many of its sites were exposed and patched by then. */
  async latestAdvisories(tx: EntityManager, scope: Scope, instant: Date): Promise<Overview['latest_advisories']> {
    const where = new SqlConditions().within(scope, 'e').add('e.cause_id = a.advisory_id AND e.retracted_at IS NULL');
    where.add(`e.opened_at <= ${instantSql(instant)}`);
    const rows: {
      advisory: string;
      module: string;
      title: string;
      risk: Overview['latest_advisories'][number]['risk'];
      published_at: Date;
      exposed: number;
      patched: number;
    }[] = await tx.query(
      `SELECT l.advisory, m.module, l.title, l.risk, l.published_at, met.exposed, met.patched
       FROM (SELECT * FROM advisories a
             WHERE a.state = 'published' AND a.published_at <= ${instantSql(instant)}
               AND EXISTS (SELECT FROM exposures e WHERE ${where.sql})
             ORDER BY a.published_at DESC, a.advisory_id DESC LIMIT 10) l
       JOIN modules m USING (module_id)
       CROSS JOIN LATERAL (
         SELECT count(*)::int AS exposed, count(*) FILTER (WHERE site.patched)::int AS patched
         FROM (SELECT e.site_id, bool_and(e.closed_at <= ${instantSql(instant)} AND e.reason = 'patched') AS patched
               FROM exposures e, (SELECT l.advisory_id) a WHERE ${where.sql} GROUP BY e.site_id) site
       ) met
       ORDER BY l.published_at DESC, l.advisory_id DESC`,
      where.parameters,
    );
    return rows.map((row) => ({
      advisory: row.advisory,
      module: row.module,
      title: row.title,
      risk: row.risk,
      published_at: row.published_at.toISOString(),
      sites_exposed: row.exposed,
      sites_patched: row.patched,
    }));
  }
}

/** SQL of the exposures that stood at the instant; `known` false: nobody could judge what was installed then. */
function standing(scope: Scope, instant: Date): { sql: string; parameters: unknown[] } {
  const where = new SqlConditions().within(scope, 'e');
  const then = instantSql(instant);
  where.add('e.retracted_at IS NULL').add(`e.opened_at <= ${then}`).add(`e.closed_at IS NULL OR e.closed_at > ${then}`);
  return {
    sql: `SELECT e.site_id, e.module_id, e.cause_id, e.opened_at,
                 NOT (e.module_id = ANY (ARRAY(SELECT DISTINCT module_id FROM vulnerable_versions WHERE verdict = 'unknown'))
                      AND EXISTS (SELECT FROM site_modules i JOIN vulnerable_versions v USING (version_id)
                             WHERE i.site_id = e.site_id AND i.module_id = e.module_id AND v.cause_id = e.cause_id
                               AND v.verdict = 'unknown' AND i.valid_from <= ${then}
                               AND (i.valid_to IS NULL OR i.valid_to > ${then}))) AS known
          FROM exposures e WHERE ${where.sql}`,
    parameters: where.parameters,
  };
}
