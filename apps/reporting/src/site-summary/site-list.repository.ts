import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RpcInput, listSites, SiteRow } from '#libs/contracts';
import { containing, SqlConditions } from '../reading/sql-conditions.js';
import { orderBy, sortingOf } from '../reading/sorting.js';
import { riskOfRank } from './risk-rank.js';
import { reportingSql } from './silence.js';

export type SiteListInput = RpcInput<typeof listSites>;

const SORTS: Readonly<Record<string, string>> = {
  name: 'lower(s.name)',
  created_at: 's.created_at',
  last_push_at: 'u.heard_at',
  security_updates: 'coalesce(u.security_updates, 0)',
  updates: 'coalesce(u.updates, 0)',
  exposed_since: 'u.exposed_since',
  open_exposures: 'coalesce(u.open_exposures, 0)',
};

interface SiteListRow {
  site_uuid: string;
  organization_uuid: string;
  name: string;
  url: string;
  environment: string;
  created_at: Date;
  core_version: string | null;
  core_status: SiteRow['core_status'];
  modules: number;
  updates: number;
  security_updates: number;
  unknown: number;
  open_exposures: number;
  worst_risk: number | null;
  exposed_since: Date | null;
  heard_at: Date | null;
  complete: boolean | null;
  reporting: SiteRow['reporting'];
  quarantine: SiteRow['quarantine'];
}

@Injectable()
export class SiteListRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** One page of the sites that fit, and how many fit. Removed sites do not. */
  async page(input: SiteListInput, now: Date): Promise<{ items: SiteRow[]; total: number }> {
    const sorting = sortingOf(input.sort, Object.keys(SORTS), '-security_updates');
    const where = new SqlConditions().within(input.scope, 's').add('s.removed_at IS NULL');
    where.addIf(input.site, 's.site_uuid = ?::uuid').addIf(input.environment, 's.environment = ANY (?::text[])');
    if (input.q) where.add('s.name ILIKE ? OR s.url ILIKE ?', containing(input.q), containing(input.q));
    if (input.exposed !== undefined) where.add('(coalesce(u.open_exposures, 0) > 0) = ?::boolean', input.exposed);
    if (input.quarantined !== undefined) where.add('(s.quarantine IS NOT NULL) = ?::boolean', input.quarantined);
    where.addIf(
      input.module,
      `s.site_id = ANY (ARRAY(SELECT i.site_id FROM modules m JOIN version_statuses v USING (module_id)
                              JOIN site_modules i USING (version_id) WHERE m.module = ? AND i.current))`,
    );
    const state = reportingSql('u', now);
    if (input.reporting) where.add(`${state} = ANY (?::text[])`, input.reporting);
    const from = 'FROM sites s LEFT JOIN site_summaries u USING (site_id)';
    const order = orderBy(SORTS[sorting.field]!, sorting, 's.site_id');
    const [{ total }]: [{ total: number }] = await this.dataSource.query(
      `SELECT count(*)::int AS total ${from} WHERE ${where.sql}`,
      where.parameters,
    );
    const rows: SiteListRow[] = await this.dataSource.query(
      `SELECT page.*,
              (SELECT v.status FROM modules m
               JOIN site_modules i ON i.module_id = m.module_id AND i.site_id = page.site_id AND i.current
               JOIN version_statuses v USING (version_id)
               WHERE m.module = 'drupal') AS core_status
       FROM (SELECT s.site_id, s.site_uuid, s.organization_uuid, s.name, s.url, s.environment, s.created_at, u.core_version,
                    coalesce(u.modules, 0) AS modules, coalesce(u.updates, 0) AS updates,
                    coalesce(u.security_updates, 0) AS security_updates, coalesce(u.unknown, 0) AS unknown,
                    coalesce(u.open_exposures, 0) AS open_exposures, u.worst_risk, u.exposed_since, u.heard_at, u.complete,
                    s.quarantine, ${state} AS reporting, row_number() OVER (${order}) AS place
             ${from} WHERE ${where.sql}
             ${order}
             LIMIT ${where.parameter(input.per_page)}::int OFFSET ${where.parameter((input.page - 1) * input.per_page)}::int) page
       ORDER BY page.place`,
      where.parameters,
    );
    return { items: rows.map(siteRow), total };
  }
}

function siteRow(row: SiteListRow): SiteRow {
  return {
    id: row.site_uuid,
    organization_id: row.organization_uuid,
    name: row.name,
    url: row.url,
    environment: row.environment,
    created_at: row.created_at.toISOString(),
    core_version: row.core_version,
    core_status: row.core_status,
    modules: row.modules,
    updates: row.updates,
    security_updates: row.security_updates,
    unknown: row.unknown,
    open_exposures: row.open_exposures,
    worst_risk: riskOfRank(row.worst_risk),
    exposed_since: row.exposed_since?.toISOString() ?? null,
    last_push_at: row.heard_at?.toISOString() ?? null,
    complete: row.complete,
    reporting: row.reporting,
    quarantine: row.quarantine,
  };
}
