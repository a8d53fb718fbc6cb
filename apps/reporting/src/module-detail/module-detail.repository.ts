import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DrupalMark, moduleDetail, RangeVerdict, RpcInput, RpcOutput } from '#libs/contracts';
import { rangeSql, sourcesOf } from '../reading/sources.js';
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
  /** Upstream has releases of it. */
  readonly listed: boolean;
}

/** SQL for since when the module on the site of the row `alias` is exposed. */
const exposedSince = (alias: string): string => `(SELECT min(e.opened_at) FROM exposures e
  WHERE e.site_id = ${alias}.site_id AND e.module_id = ${alias}.module_id AND e.state = 'open')`;

const SORTS: Readonly<Record<string, string>> = {
  name: 'lower(s.name)',
  exposed_since: exposedSince('i'),
  installed_since: 'i.valid_from',
};

const INSTALLED = `FROM version_statuses v JOIN site_modules i USING (version_id) JOIN sites s USING (site_id)
  LEFT JOIN own_version_statuses o ON o.organization_id = i.organization_id AND o.version_id = v.version_id`;
/** An organization's own release history counts for its sites. */
const STATUS = `coalesce(o.status, v.status) AS status, CASE WHEN o.status IS NULL THEN v.reason ELSE o.reason END AS reason`;

@Injectable()
export class ModuleDetailRepository {
  async find(tx: EntityManager, module: string): Promise<KnownModule | null> {
    const [row]: KnownModule[] = await tx.query(
      `SELECT module_id AS "moduleId", title, type, link, revision, outcome IS NOT DISTINCT FROM 'ok' AS listed
       FROM modules WHERE module = $1`,
      [module],
    );
    return row ?? null;
  }

  /** The versions that sites in scope run now, in no order. */
  async versions(tx: EntityManager, moduleId: number, input: ModuleDetailInput): Promise<Detail['versions']> {
    const where = installedIn(moduleId, input);
    const rows: {
      version: string | null;
      sites: number;
      status: Detail['versions'][number]['status'];
      reason: string | null;
      released_at: Date | null;
      advisories: string[] | null;
      mark: DrupalMark | null;
      range: RangeVerdict | null;
    }[] = await tx.query(
      `SELECT v.version, used.status, used.reason, used.released_at, used.sites, v.mark, ${rangeSql('v')} AS range,
              (SELECT array_agg(a.advisory ORDER BY a.published_at DESC)
               FROM vulnerable_versions x JOIN advisories a ON a.advisory_id = x.cause_id
               WHERE x.version_id = v.version_id AND x.verdict = 'affected') AS advisories
       FROM (SELECT version_id, status, reason, released_at, count(*)::int AS sites
             FROM (SELECT i.version_id, ${STATUS}, coalesce(o.released_at, v.released_at) AS released_at
                   ${INSTALLED} WHERE ${where.sql}) installed
             GROUP BY 1, 2, 3, 4) used
       JOIN version_statuses v USING (version_id)`,
      where.parameters,
    );
    return rows.map((row) => ({
      version: row.version,
      sites: row.sites,
      status: row.status,
      reason: row.reason,
      released_at: row.released_at?.toISOString() ?? null,
      advisories: row.advisories ?? [],
      ...sourcesOf(row.mark, row.range),
    }));
  }

  /** One page of the sites in scope that run it now. */
  async sites(
    tx: EntityManager,
    moduleId: number,
    input: ModuleDetailInput,
  ): Promise<{ items: Detail['sites']; total: number }> {
    const sorting = sortingOf(input.sort, Object.keys(SORTS), 'name');
    const order = orderBy(SORTS[sorting.field]!, sorting, 's.site_id', sorting.field !== 'exposed_since');
    const where = installedIn(moduleId, input).addIf(input.version, 'v.version = ?');
    const [{ total }]: [{ total: number }] = await tx.query(
      `SELECT count(*)::int AS total ${INSTALLED} WHERE ${where.sql}`,
      where.parameters,
    );
    const rows: {
      site_uuid: string;
      name: string;
      url: string;
      environment: string;
      version: string | null;
      status: Detail['sites'][number]['status'];
      reason: string | null;
      advisories: string[] | null;
      exposed_since: Date | null;
      valid_from: Date;
    }[] = await tx.query(
      `SELECT page.*, ${exposedSince('page')} AS exposed_since,
              (SELECT array_agg(a.advisory ORDER BY a.published_at DESC)
               FROM exposures e JOIN advisories a ON a.advisory_id = e.cause_id
               WHERE e.site_id = page.site_id AND e.module_id = page.module_id AND e.state = 'open') AS advisories
       FROM (SELECT s.site_id, i.module_id, s.site_uuid, s.name, s.url, s.environment, v.version, ${STATUS}, i.valid_from, row_number() OVER (${order}) AS place
             ${INSTALLED} WHERE ${where.sql}
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
      reason: row.reason,
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
