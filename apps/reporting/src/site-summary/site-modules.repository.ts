import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RpcInput, siteModules, SiteModuleRow } from '#libs/contracts';
import { SqlConditions } from '../reading/sql-conditions.js';
import { orderBy, sortingOf } from '../reading/sorting.js';

export type SiteModulesInput = RpcInput<typeof siteModules>;

/** Security first, other updates next, up to date, and at the end what cannot be known. */
const GROUP_RANK = `array_position(ARRAY['security','update','current','unknown'], i.standing)`;

const SORTS: Readonly<Record<string, string>> = {
  group: GROUP_RANK,
  module: 'm.module',
  available_since: 'coalesce(o.available_since, v.available_since)',
};

interface SiteModuleListRow {
  module: string;
  title: string | null;
  link: string | null;
  type: SiteModuleRow['type'];
  standing: SiteModuleRow['group'];
  status: SiteModuleRow['status'];
  reason: string | null;
  state: SiteModuleRow['state'];
  version: string | null;
  recommended: string | null;
  latest: string | null;
  security_updates: string[];
  available_since: Date | null;
  advisories: string[] | null;
  exposed_since: Date | null;
  installed_since: Date;
}

@Injectable()
export class SiteModulesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** One page of what the site runs, and how much fits. The caller has made sure that the site is in scope. */
  async page(input: SiteModulesInput, now: Date): Promise<{ items: SiteModuleRow[]; total: number }> {
    const sorting = sortingOf(input.sort, Object.keys(SORTS), 'group');
    const where = new SqlConditions()
      .within(input.scope, 'i')
      .add('s.site_uuid = ?::uuid', input.site)
      .add('i.current')
      .addIf(input.group, 'i.standing = ANY (?::text[])');
    const from = 'FROM sites s JOIN site_modules i USING (site_id)';
    const [{ total }]: [{ total: number }] = await this.dataSource.query(
      `SELECT count(*)::int AS total ${from} WHERE ${where.sql}`,
      where.parameters,
    );
    const rows: SiteModuleListRow[] = await this.dataSource.query(
      `SELECT m.module, CASE WHEN o.status IS NULL THEN m.title ELSE d.history ->> 'title' END AS title,
              CASE WHEN o.status IS NULL THEN m.link ELSE d.history ->> 'link' END AS link, i.type, i.standing, coalesce(o.status, v.status) AS status,
              CASE WHEN o.status IS NULL THEN v.reason ELSE o.reason END AS reason, i.state, v.version,
              coalesce(o.recommended, v.recommended) AS recommended, coalesce(o.latest, v.latest) AS latest,
              coalesce(o.security_updates, v.security_updates) AS security_updates,
              coalesce(o.available_since, v.available_since) AS available_since, open.advisories, open.exposed_since,
              coalesce(
                (SELECT other.valid_to FROM site_modules other
                 WHERE other.site_id = i.site_id AND other.module_id = i.module_id
                   AND other.version_id IS DISTINCT FROM i.version_id
                 ORDER BY other.epoch DESC, other.sequence DESC LIMIT 1),
                (SELECT min(other.valid_from) FROM site_modules other
                 WHERE other.site_id = i.site_id AND other.module_id = i.module_id)) AS installed_since
       ${from}
       JOIN modules m USING (module_id)
       JOIN version_statuses v USING (version_id)
       LEFT JOIN own_version_statuses o ON o.organization_id = i.organization_id AND o.version_id = i.version_id
       LEFT JOIN own_modules d ON d.organization_id = i.organization_id AND d.module_id = i.module_id
       LEFT JOIN LATERAL (
         SELECT array_agg(a.advisory ORDER BY a.published_at DESC) FILTER (WHERE a.advisory IS NOT NULL) AS advisories,
                min(e.opened_at) AS exposed_since
         FROM exposures e LEFT JOIN advisories a ON a.advisory_id = e.cause_id
         WHERE e.site_id = i.site_id AND e.module_id = i.module_id AND e.state = 'open'
       ) open ON true
       WHERE ${where.sql}
       ${sorting.field === 'group' ? `${orderBy(GROUP_RANK, sorting, 'm.module')}` : orderBy(SORTS[sorting.field]!, sorting, 'm.module_id')}
       LIMIT ${where.parameter(input.per_page)}::int OFFSET ${where.parameter((input.page - 1) * input.per_page)}::int`,
      where.parameters,
    );
    return { items: rows.map((row) => siteModuleRow(row, now)), total };
  }
}

function siteModuleRow(row: SiteModuleListRow, now: Date): SiteModuleRow {
  return {
    module: row.module,
    title: row.title,
    type: row.type,
    group: row.standing,
    status: row.status,
    // Drupal knows the status; whether the exposure is over, nobody does.
    reason: row.reason ?? (row.standing === 'unknown' ? 'exposure-unknown' : null),
    state: row.state,
    installed_version: row.version,
    recommended_version: row.recommended,
    latest_version: row.latest,
    security_updates: row.security_updates,
    available_since: row.available_since?.toISOString() ?? null,
    days_available: row.available_since && Math.floor((now.getTime() - row.available_since.getTime()) / 86_400_000),
    advisories: row.advisories ?? [],
    exposed_since: row.exposed_since?.toISOString() ?? null,
    installed_since: row.installed_since.toISOString(),
    link: row.link,
  };
}
