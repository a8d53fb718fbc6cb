import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import type { SitePart } from '../reading/remembered-parts.js';
import { chosenSites, SITE_PARTS } from '../reading/site-parts.js';
import { SqlConditions } from '../reading/sql-conditions.js';
import type { CauseCount, VersionCount } from './fleet-counts.js';

/** A part of the sites in scope; one stamp changes with what they run or how they are exposed, the other with their exposures alone. */
export interface StampedPart {
  readonly installed: SitePart;
  readonly exposed: SitePart;
}

@Injectable()
export class FleetCountsRepository {
  async parts(tx: EntityManager, scope: Scope): Promise<StampedPart[]> {
    const where = new SqlConditions().within(scope, 's');
    const rows: { part: number; sites: string; inventories: string; exposures: string }[] = await tx.query(
      `SELECT s.site_id % ${SITE_PARTS} AS part, concat_ws(' ', count(*), sum(s.site_id), sum(s.revision)) AS sites,
              concat_ws(' ', count(u.site_id), sum(u.inventories)) AS inventories, coalesce(sum(u.exposure_changes), 0) AS exposures
       FROM sites s LEFT JOIN site_summaries u USING (site_id)
       WHERE ${where.sql}
       GROUP BY part ORDER BY part`,
      where.parameters,
    );
    return rows.map(({ part, sites, inventories, exposures }) => ({
      installed: { part, stamp: `${sites} ${inventories} ${exposures}` },
      exposed: { part, stamp: `${sites} ${exposures}` },
    }));
  }

  /** What the sites of some parts run, by version. Removed sites run nothing. */
  async versions(tx: EntityManager, scope: Scope, parts: readonly number[]): Promise<Map<number, VersionCount[]>> {
    const where = chosenSites(scope, parts).add('s.removed_at IS NULL');
    const rows: (Omit<VersionCount, 'versionId'> & { part: number; version_id: number })[] = await tx.query(
      `WITH chosen AS MATERIALIZED (
         SELECT s.site_id FROM sites s WHERE ${where.sql}
       ), exposed AS (
         SELECT e.site_id, e.module_id, bool_or(e.state = 'open') AS open
         FROM chosen JOIN exposures e USING (site_id) WHERE e.state <> 'closed' GROUP BY e.site_id, e.module_id
       )
       SELECT i.site_id % ${SITE_PARTS} AS part, i.version_id, count(*)::int AS sites, count(*) FILTER (WHERE e.open)::int AS exposed,
              count(*) FILTER (WHERE NOT e.open)::int AS unjudged, min(i.type) AS type
       FROM chosen
       JOIN site_modules i USING (site_id)
       LEFT JOIN exposed e ON e.site_id = i.site_id AND e.module_id = i.module_id
       WHERE i.current
       GROUP BY part, i.version_id`,
      where.parameters,
    );
    const byPart = new Map<number, VersionCount[]>(parts.map((part) => [part, []]));
    for (const { part, version_id, ...count } of rows) byPart.get(part)!.push({ versionId: version_id, ...count });
    return byPart;
  }

  /** How the sites of some parts stand to the causes of their exposures. What was retracted never was. */
  async causes(tx: EntityManager, scope: Scope, parts: readonly number[]): Promise<Map<number, CauseCount[]>> {
    const where = chosenSites(scope, parts).add('s.removed_at IS NULL');
    const rows: { part: number; cause_id: number; exposed: number; open: number; patched: number }[] = await tx.query(
      `WITH chosen AS MATERIALIZED (
         SELECT s.site_id FROM sites s WHERE ${where.sql}
       ), standing AS (
         SELECT e.site_id, e.cause_id, bool_or(e.state = 'open') AS open,
                bool_and(e.state = 'closed' AND e.reason = 'patched') AS patched
         FROM chosen JOIN exposures e USING (site_id)
         WHERE e.retracted_at IS NULL
         GROUP BY e.site_id, e.cause_id
       )
       SELECT site_id % ${SITE_PARTS} AS part, cause_id, count(*)::int AS exposed, count(*) FILTER (WHERE open)::int AS open,
              count(*) FILTER (WHERE patched)::int AS patched
       FROM standing
       GROUP BY part, cause_id`,
      where.parameters,
    );
    const byPart = new Map<number, CauseCount[]>(parts.map((part) => [part, []]));
    for (const { part, cause_id, exposed, open, patched } of rows)
      byPart.get(part)!.push({ causeId: cause_id, exposed, open, patched });
    return byPart;
  }
}
