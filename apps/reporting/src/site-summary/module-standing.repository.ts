import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { numbers, texts } from '#libs/database';

/** Modules of sites, by position. */
export interface SiteModules {
  readonly siteIds: readonly number[];
  readonly moduleIds: readonly number[];
}

/** Modules of sites that changed, with how each stood before; null: it was not installed. */
export interface ChangedSiteModules extends SiteModules {
  readonly standingsBefore: readonly (string | null)[];
}

/** By how much a site's counts change. */
export interface CountDifference {
  readonly siteId: number;
  readonly modules: number;
  readonly updates: number;
  readonly securityUpdates: number;
  readonly unknown: number;
}

interface DifferenceRow {
  site_id: number;
  modules: number;
  updates: number;
  security_updates: number;
  unknown: number;
}

/** Standing of the version `v` on the row `m`: an organization's own release history counts for its sites. */
const STANDING_SQL = `coalesce(
  (SELECT o.standing FROM own_version_statuses o WHERE o.organization_id = m.organization_id AND o.version_id = m.version_id), v.standing)`;

/**
 * What is exposed is never less than `security`, and what may be exposed never `current`: nobody knows.
 * @param exposed whether an exposure is open
 * @param unjudged whether one stands of which nobody can say whether it is open
 */
const standingSql = (exposed: string, unjudged: string): string =>
  `CASE WHEN ${exposed} THEN 'security' WHEN ${STANDING_SQL} = 'current' AND ${unjudged} THEN 'unknown' ELSE ${STANDING_SQL} END`;

/** By how many modules more stand so `after` than stood so `before`. */
const moreSql = (stands: (column: string) => string): string =>
  `(count(*) FILTER (WHERE ${stands('after')}) - count(*) FILTER (WHERE ${stands('before')}))::int`;

const DIFFERENCES_SQL = `
  ${moreSql((column) => `${column} IN ('update', 'security')`)} AS updates,
  ${moreSql((column) => `${column} = 'security'`)} AS security_updates,
  ${moreSql((column) => `${column} = 'unknown'`)} AS unknown`;

/** How modules stand on sites now, and how many of a site stand how. */
@Injectable()
export class ModuleStandingRepository {
  /**
   * Sets the standing of what the sites run of the modules now. What stands now is the last interval of a pair, found by the key: the
   * intervals before it are not looked at. Returns by site, ascending, what that makes in its counts against `standingsBefore`.
   */
  async restandPairs(tx: EntityManager, pairs: ChangedSiteModules): Promise<CountDifference[]> {
    const rows: DifferenceRow[] = await tx.query(
      `WITH judged AS MATERIALIZED (
         SELECT pair.site_id, pair.module_id, pair.before, m.epoch, m.sequence, m.standing,
                CASE WHEN m.current THEN ${standingSql('e.open', 'NOT e.open')} END AS after
         FROM unnest($1::int[], $2::int[], $3::text[]) AS pair(site_id, module_id, before)
         LEFT JOIN LATERAL (
           SELECT * FROM site_modules i WHERE i.site_id = pair.site_id AND i.module_id = pair.module_id
           ORDER BY i.epoch DESC, i.sequence DESC LIMIT 1
         ) m ON true
         LEFT JOIN version_statuses v ON v.version_id = m.version_id
         -- Of what stands on this pair alone; as EXISTS the planner may read what stands on all.
         CROSS JOIN LATERAL (
           SELECT bool_or(state = 'open') AS open FROM exposures
           WHERE site_id = pair.site_id AND module_id = pair.module_id AND state <> 'closed'
         ) e
       ), changed AS (
         UPDATE site_modules m SET standing = j.after
         FROM judged j
         WHERE m.site_id = j.site_id AND m.module_id = j.module_id AND m.epoch = j.epoch AND m.sequence = j.sequence
           AND j.standing IS DISTINCT FROM j.after
       )
       SELECT site_id, ${moreSql((column) => `${column} IS NOT NULL`)} AS modules, ${DIFFERENCES_SQL}
       FROM judged GROUP BY site_id ORDER BY site_id`,
      [numbers(pairs.siteIds), numbers(pairs.moduleIds), texts(pairs.standingsBefore)],
    );
    return rows.map(differenceOf);
  }

  /** Sets the standing of the modules on all sites. Returns by site, ascending, what that makes in its counts. */
  async restandModules(tx: EntityManager, moduleIds: readonly number[]): Promise<CountDifference[]> {
    const rows: DifferenceRow[] = await tx.query(
      `WITH exposed AS (
         SELECT site_id, module_id, bool_or(state = 'open') AS open
         FROM exposures WHERE module_id = ANY ($1) AND state <> 'closed' GROUP BY site_id, module_id
       ), judged AS MATERIALIZED (
         SELECT m.site_id, m.module_id, m.epoch, m.sequence, m.standing AS before,
                ${standingSql('e.open', 'NOT e.open')} AS after
         FROM version_statuses v
         JOIN site_modules m USING (version_id)
         LEFT JOIN exposed e ON e.site_id = m.site_id AND e.module_id = m.module_id
         WHERE v.module_id = ANY ($1) AND m.current
       ), changed AS (
         UPDATE site_modules m
         SET standing = j.after
         FROM judged j
         WHERE m.site_id = j.site_id AND m.module_id = j.module_id AND m.epoch = j.epoch AND m.sequence = j.sequence
           AND j.before IS DISTINCT FROM j.after
         RETURNING m.site_id, j.before, j.after
       )
       SELECT site_id, 0 AS modules, ${DIFFERENCES_SQL} FROM changed GROUP BY site_id ORDER BY site_id`,
      [moduleIds],
    );
    return rows.map(differenceOf);
  }

  /** Takes differences over into the counts. The caller holds the summaries. */
  async addDifferences(tx: EntityManager, differences: readonly CountDifference[]): Promise<void> {
    const moved = differences.filter(
      ({ modules, updates, securityUpdates, unknown }) =>
        modules !== 0 || updates !== 0 || securityUpdates !== 0 || unknown !== 0,
    );
    if (moved.length === 0) return;
    await tx.query(
      `UPDATE site_summaries s
       SET modules = s.modules + d.modules, updates = s.updates + d.updates,
           security_updates = s.security_updates + d.security_updates, unknown = s.unknown + d.unknown
       FROM unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::int[])
            AS d(site_id, modules, updates, security_updates, unknown)
       WHERE s.site_id = d.site_id`,
      [
        numbers(moved.map((difference) => difference.siteId)),
        numbers(moved.map((difference) => difference.modules)),
        numbers(moved.map((difference) => difference.updates)),
        numbers(moved.map((difference) => difference.securityUpdates)),
        numbers(moved.map((difference) => difference.unknown)),
      ],
    );
  }

  /** Counts the modules of sites anew. The caller holds their summaries. */
  async recountModules(tx: EntityManager, siteIds: readonly number[]): Promise<void> {
    await tx.query(
      `UPDATE site_summaries s
       SET modules = c.modules, updates = c.updates, security_updates = c.security_updates, unknown = c.unknown
       FROM (SELECT site_id, count(m.site_id)::int AS modules,
                    count(*) FILTER (WHERE m.standing IN ('update', 'security'))::int AS updates,
                    count(*) FILTER (WHERE m.standing = 'security')::int AS security_updates,
                    count(*) FILTER (WHERE m.standing = 'unknown')::int AS unknown
             FROM unnest($1::int[]) AS site(site_id)
             LEFT JOIN (SELECT * FROM site_modules WHERE current) m USING (site_id)
             GROUP BY site_id) c
       WHERE s.site_id = c.site_id
         AND (s.modules, s.updates, s.security_updates, s.unknown) IS DISTINCT FROM
             (c.modules, c.updates, c.security_updates, c.unknown)`,
      [siteIds],
    );
  }
}

function differenceOf(row: DifferenceRow): CountDifference {
  return {
    siteId: row.site_id,
    modules: row.modules,
    updates: row.updates,
    securityUpdates: row.security_updates,
    unknown: row.unknown,
  };
}
