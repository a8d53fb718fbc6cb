import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { dashboardOverview, RpcOutput, Scope } from '#libs/contracts';
import { SqlConditions } from '../reading/sql-conditions.js';
import { SILENT_AFTER_HOURS, reportingSql } from '../site-summary/silence.js';
import { instantSql } from './instant-sql.js';
import type { OpenCounts } from './open-counts.js';
import type { SitePart } from '../reading/remembered-parts.js';
import { chosenSites, SITE_PARTS } from '../reading/site-parts.js';

type Fleet = Pick<RpcOutput<typeof dashboardOverview>, 'sites' | 'modules'>;

interface FleetRow {
  total: number;
  exposed: number;
  reporting: number;
  silent: number;
  waiting: number;
  quarantined: number;
  installed: number;
  updates: number;
  security_updates: number;
  unknown: number;
  open: number;
  open_modules: number;
  unknown_exposures: number;
  exposed_since: Date | null;
}

/** The fleet now, with the parts of its sites for what is remembered of them. */
export interface FleetNow {
  readonly sites: Fleet['sites'];
  readonly modules: Omit<Fleet['modules'], 'distinct'>;
  readonly open: OpenCounts;
  /** Stamped by their exposures. */
  readonly exposed: readonly SitePart[];
  /** Stamped by what is installed. */
  readonly installed: readonly SitePart[];
}

/** Sites and modules of the fleet. */
@Injectable()
export class FleetRepository {
  /** As they stand now, from the summaries, with what tells whether anything has changed since another answer. */
  async now(tx: EntityManager, scope: Scope, now: Date): Promise<FleetNow> {
    const where = new SqlConditions().within(scope, 's');
    const state = reportingSql('u', now);
    // What removed sites had patched still counts, so their exposures have a stamp, too.
    const here = 's.removed_at IS NULL';
    const rows: (FleetRow & { part: number; exposure_stamp: string; module_stamp: string })[] = await tx.query(
      `SELECT s.site_id % ${SITE_PARTS} AS part, count(*) FILTER (WHERE ${here})::int AS total, count(*) FILTER (WHERE ${here} AND u.open_exposures > 0)::int AS exposed,
              count(*) FILTER (WHERE ${here} AND ${state} = 'reporting')::int AS reporting,
              count(*) FILTER (WHERE ${here} AND ${state} = 'silent')::int AS silent,
              count(*) FILTER (WHERE ${here} AND ${state} = 'waiting')::int AS waiting,
              count(*) FILTER (WHERE ${here} AND s.quarantine IS NOT NULL)::int AS quarantined,
              coalesce(sum(u.modules) FILTER (WHERE ${here}), 0)::int AS installed, coalesce(sum(u.updates) FILTER (WHERE ${here}), 0)::int AS updates,
              coalesce(sum(u.security_updates) FILTER (WHERE ${here}), 0)::int AS security_updates, coalesce(sum(u.unknown) FILTER (WHERE ${here}), 0)::int AS unknown,
              coalesce(sum(u.open_exposures) FILTER (WHERE ${here}), 0)::int AS open, coalesce(sum(u.open_modules) FILTER (WHERE ${here}), 0)::int AS open_modules,
              coalesce(sum(u.unknown_exposures) FILTER (WHERE ${here}), 0)::int AS unknown_exposures, min(u.exposed_since) FILTER (WHERE ${here}) AS exposed_since,
              concat_ws(' ', count(*), sum(s.site_id), sum(s.revision), sum(u.exposure_changes)) AS exposure_stamp,
              concat_ws(' ', count(*), sum(s.site_id), sum(s.revision), sum(u.inventories)) AS module_stamp
       FROM sites s LEFT JOIN site_summaries u USING (site_id)
       WHERE ${where.sql}
       GROUP BY part ORDER BY part`,
      where.parameters,
    );
    const sum = (field: keyof FleetRow): number => rows.reduce((total, row) => total + (row[field] as number), 0);
    const since = rows.map((row) => row.exposed_since).filter((date) => date !== null);
    return {
      sites: {
        total: sum('total'),
        exposed: sum('exposed'),
        reporting: sum('reporting'),
        silent: sum('silent'),
        waiting: sum('waiting'),
        quarantined: sum('quarantined'),
      },
      modules: {
        installed: sum('installed'),
        updates: sum('updates'),
        security_updates: sum('security_updates'),
        unknown: sum('unknown'),
      },
      open: {
        open: sum('open'),
        unknown: sum('unknown_exposures'),
        openSiteModules: sum('open_modules'),
        exposedSites: sum('exposed'),
        oldestOpenAt: since.length > 0 ? new Date(Math.min(...since.map((date) => date.getTime()))) : null,
      },
      exposed: rows.map((row) => ({ part: row.part, stamp: row.exposure_stamp })),
      installed: rows.map((row) => ({ part: row.part, stamp: row.module_stamp })),
    };
  }

  /** The modules that the sites of some parts run, by id. Removed sites run nothing. */
  async modules(tx: EntityManager, scope: Scope, parts: readonly number[]): Promise<Map<number, Int32Array>> {
    const where = chosenSites(scope, parts).add('s.removed_at IS NULL');
    const rows: { part: number; modules: number[] }[] = await tx.query(
      `SELECT i.site_id % ${SITE_PARTS} AS part, array_agg(DISTINCT i.module_id) AS modules
       FROM site_modules i
       WHERE i.current AND i.version_id IS NOT NULL AND i.site_id = ANY (ARRAY(SELECT s.site_id FROM sites s WHERE ${where.sql}))
       GROUP BY part`,
      where.parameters,
    );
    const byPart = new Map(parts.map((part) => [part, new Int32Array()]));
    for (const { part, modules } of rows) byPart.set(part, Int32Array.from(modules));
    return byPart;
  }

  /** As they were at an instant of the past, from facts. Which updates were due then is not kept. */
  async asOf(tx: EntityManager, scope: Scope, then: Date): Promise<Fleet> {
    const instant = instantSql(then);
    const there = `(s.removed_at IS NULL OR s.removed_at > ${instant})`;
    const where = new SqlConditions()
      .within(scope, 's')
      .add(there)
      .add(`least(s.created_at, u.first_observed_at) <= ${instant}`);
    const sites: FleetRow[] = await tx.query(
      `SELECT count(*)::int AS total,
              count(*) FILTER (WHERE state = 'reporting')::int AS reporting,
              count(*) FILTER (WHERE state = 'silent')::int AS silent,
              count(*) FILTER (WHERE state = 'waiting')::int AS waiting
       FROM sites s LEFT JOIN site_summaries u USING (site_id)
       CROSS JOIN LATERAL (
         SELECT CASE WHEN u.first_observed_at IS NULL OR u.first_observed_at > ${instant} THEN 'waiting'
                     WHEN EXISTS (SELECT FROM site_contacts c
                                  WHERE c.site_id = s.site_id AND c.heard_from <= ${instant}
                                    AND c.heard_until >= ${instant} - interval '${SILENT_AFTER_HOURS} hours') THEN 'reporting'
                     ELSE 'silent' END AS state
       ) contact
       WHERE ${where.sql}`,
      where.parameters,
    );
    const installed = new SqlConditions()
      .within(scope, 'i')
      .add('i.version_id IS NOT NULL')
      .add(`i.valid_from <= ${instant}`)
      .add(`i.valid_to IS NULL OR i.valid_to > ${instant}`)
      .add(there);
    const modules: { installed: number; distinct: number }[] = await tx.query(
      `SELECT count(*)::int AS installed, count(DISTINCT i.module_id)::int AS distinct
       FROM site_modules i JOIN sites s USING (site_id) WHERE ${installed.sql}`,
      installed.parameters,
    );
    const { total, reporting, silent, waiting } = sites[0]!;
    return {
      // How many were exposed follows from the exposures.
      sites: { total, exposed: 0, reporting, silent, waiting, quarantined: null },
      modules: { ...modules[0]!, updates: null, security_updates: null, unknown: null },
    };
  }
}
