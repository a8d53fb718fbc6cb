import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { moduleDetail, ReleaseHistoryDocument, RpcInput, RpcOutput } from '#libs/contracts';
import { SqlConditions } from '../reading/sql-conditions.js';
import { orderBy, sortingOf } from '../reading/sorting.js';

export type ModuleDetailInput = RpcInput<typeof moduleDetail>;
type Detail = NonNullable<RpcOutput<typeof moduleDetail>>;

/** A module as the catalog told of it; `revision` 0: only sites have. */
export interface KnownModule {
  readonly moduleId: number;
  readonly title: string | null;
  readonly type: string | null;
  readonly link: string | null;
  readonly revision: number;
  readonly history: ReleaseHistoryDocument | null;
}

const EXPOSED_SINCE = `(SELECT min(e.opened_at) FROM exposures e
  WHERE e.site_id = i.site_id AND e.module_id = i.module_id AND e.state = 'open')`;

const SORTS: Readonly<Record<string, string>> = {
  name: 'lower(s.name)',
  exposed_since: EXPOSED_SINCE,
  installed_since: 'i.valid_from',
};

@Injectable()
export class ModuleDetailRepository {
  constructor(private readonly dataSource: DataSource) {}

  async find(module: string): Promise<KnownModule | null> {
    const [row]: {
      module_id: number;
      title: string | null;
      type: string | null;
      link: string | null;
      revision: number;
      history: ReleaseHistoryDocument | null;
    }[] = await this.dataSource.query(
      `SELECT module_id, title, type, link, revision, history FROM modules WHERE module = $1`,
      [module],
    );
    return row ? { moduleId: row.module_id, ...row } : null;
  }

  /** The versions that sites in scope run now, in no order. */
  async versions(moduleId: number, input: ModuleDetailInput): Promise<Detail['versions']> {
    const where = installedIn(moduleId, input);
    const rows: {
      version: string | null;
      sites: number;
      status: Detail['versions'][number]['status'];
      released_at: Date | null;
      advisories: string[] | null;
    }[] = await this.dataSource.query(
      `SELECT v.version, v.status, v.released_at, used.sites,
              (SELECT array_agg(a.advisory ORDER BY a.published_at DESC)
               FROM vulnerable_versions x JOIN advisories a ON a.advisory_id = x.cause_id
               WHERE x.version_id = v.version_id AND x.verdict = 'affected') AS advisories
       FROM (SELECT i.version_id, count(*)::int AS sites
             FROM version_statuses v JOIN site_modules i USING (version_id) JOIN sites s USING (site_id)
             WHERE ${where.sql} GROUP BY i.version_id) used
       JOIN version_statuses v USING (version_id)`,
      where.parameters,
    );
    return rows.map((row) => ({
      version: row.version,
      sites: row.sites,
      status: row.status,
      released_at: row.released_at?.toISOString() ?? null,
      advisories: row.advisories ?? [],
    }));
  }

  /** One page of the sites in scope that run it now. */
  async sites(moduleId: number, input: ModuleDetailInput): Promise<{ items: Detail['sites']; total: number }> {
    const sorting = sortingOf(input.sort, Object.keys(SORTS), 'name');
    const order = orderBy(SORTS[sorting.field]!, sorting, 's.site_id', sorting.field !== 'exposed_since');
    const where = installedIn(moduleId, input).addIf(input.version, 'v.version = ?');
    const from = 'FROM version_statuses v JOIN site_modules i USING (version_id) JOIN sites s USING (site_id)';
    const [{ total }]: [{ total: number }] = await this.dataSource.query(
      `SELECT count(*)::int AS total ${from} WHERE ${where.sql}`,
      where.parameters,
    );
    const rows: {
      site_uuid: string;
      name: string;
      url: string;
      environment: string;
      version: string | null;
      status: Detail['sites'][number]['status'];
      advisories: string[] | null;
      exposed_since: Date | null;
      valid_from: Date;
    }[] = await this.dataSource.query(
      `SELECT page.*,
              (SELECT array_agg(a.advisory ORDER BY a.published_at DESC)
               FROM exposures e JOIN advisories a ON a.advisory_id = e.cause_id
               WHERE e.site_id = page.site_id AND e.module_id = page.module_id AND e.state = 'open') AS advisories
       FROM (SELECT s.site_id, i.module_id, s.site_uuid, s.name, s.url, s.environment, v.version, v.status, i.valid_from,
                    ${EXPOSED_SINCE} AS exposed_since, row_number() OVER (${order}) AS place
             ${from} WHERE ${where.sql}
             ${order}
             LIMIT ${where.parameter(input.per_page)}::int OFFSET ${where.parameter((input.page - 1) * input.per_page)}::int) page
       ORDER BY page.place`,
      where.parameters,
    );
    const items = rows.map((row) => ({
      id: row.site_uuid,
      name: row.name,
      url: row.url,
      environment: row.environment,
      installed_version: row.version,
      status: row.status,
      advisories: row.advisories ?? [],
      exposed_since: row.exposed_since?.toISOString() ?? null,
      installed_since: row.valid_from.toISOString(),
    }));
    return { items, total };
  }
}

function installedIn(moduleId: number, input: ModuleDetailInput): SqlConditions {
  return new SqlConditions()
    .within(input.scope, 'i')
    .add('v.module_id = ?::int', moduleId)
    .add('i.current')
    .add('s.removed_at IS NULL');
}
