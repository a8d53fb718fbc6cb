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
  name: 'lower(f.name)',
  exposed_since: exposedSince('f'),
  installed_since: 'f.valid_from',
};

/** What sites run of a module now. `versions` counts them by version and by what is said of it there. */
export interface InstalledModule {
  readonly versions: readonly CountedVersion[];
  readonly sites: Detail['sites'];
  /** Sites that fit, on all pages. */
  readonly total: number;
}

/** Sites that run one version, with what is said of it to them. */
export interface CountedVersion {
  readonly version_id: number;
  readonly status: Detail['versions'][number]['status'];
  readonly reason: string | null;
  readonly released_at: string | null;
  readonly sites: number;
}

interface SiteRow {
  readonly site_uuid: string;
  readonly name: string;
  readonly url: string;
  readonly environment: string;
  readonly version: string | null;
  readonly status: Detail['sites'][number]['status'];
  readonly reason: string | null;
  readonly advisories: string[] | null;
  readonly exposed_since: Date | null;
  readonly valid_from: Date;
}

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

  /** The versions that sites in scope run now, and one page of those sites: looked at once, for a module may be on every site. */
  async installed(tx: EntityManager, moduleId: number, input: ModuleDetailInput): Promise<InstalledModule> {
    const sorting = sortingOf(input.sort, Object.keys(SORTS), 'name');
    const order = orderBy(SORTS[sorting.field]!, sorting, 'f.site_id', sorting.field !== 'exposed_since');
    const where = new SqlConditions()
      .within(input.scope, 'i')
      .add('v.module_id = ?::int', moduleId)
      .add('i.current')
      .add('s.removed_at IS NULL');
    const fits = input.version === undefined ? 'true' : `version = ${where.parameter(input.version)}`;
    const rows: ({ total: number; versions: CountedVersion[] | null } & {
      [K in keyof SiteRow]: SiteRow[K] | null;
    })[] = await tx.query(
      `WITH installed AS MATERIALIZED (
         SELECT s.site_id, i.module_id, s.site_uuid, s.name, s.url, s.environment, v.version_id, v.version, i.valid_from,
                coalesce(o.status, v.status) AS status, CASE WHEN o.status IS NULL THEN v.reason ELSE o.reason END AS reason,
                coalesce(o.released_at, v.released_at) AS released_at
         FROM version_statuses v
         JOIN site_modules i USING (version_id)
         JOIN sites s USING (site_id)
         LEFT JOIN own_version_statuses o ON o.organization_id = i.organization_id AND o.version_id = v.version_id
         WHERE ${where.sql}
       ), counted AS (
         SELECT jsonb_agg(c) AS versions
         FROM (SELECT version_id, status, reason, released_at, count(*) AS sites FROM installed GROUP BY 1, 2, 3, 4) c
       ), fitting AS (
         SELECT * FROM installed WHERE ${fits}
       ), page AS (
         SELECT f.*, row_number() OVER (${order}) AS place FROM fitting f ${order}
         LIMIT ${where.parameter(input.per_page)}::int OFFSET ${where.parameter((input.page - 1) * input.per_page)}::int
       )
       SELECT counted.versions, (SELECT count(*)::int FROM fitting) AS total, page.*, ${exposedSince('page')} AS exposed_since,
              (SELECT array_agg(a.advisory ORDER BY a.published_at DESC)
               FROM exposures e JOIN advisories a ON a.advisory_id = e.cause_id
               WHERE e.site_id = page.site_id AND e.module_id = page.module_id AND e.state = 'open') AS advisories
       FROM counted LEFT JOIN page ON true
       ORDER BY page.place`,
      where.parameters,
    );
    const sites = rows.filter(({ site_uuid }) => site_uuid !== null) as unknown as SiteRow[];
    return { versions: rows[0]!.versions ?? [], sites: sites.map(siteOf), total: rows[0]!.total };
  }

  /** What is known of versions besides who runs them, in no order. */
  async versions(tx: EntityManager, counted: readonly CountedVersion[]): Promise<Detail['versions']> {
    if (counted.length === 0) return [];
    const rows: {
      version_id: number;
      version: string | null;
      advisories: string[] | null;
      mark: DrupalMark | null;
      range: RangeVerdict | null;
    }[] = await tx.query(
      `SELECT v.version_id, v.version, v.mark, ${rangeSql('v')} AS range,
              (SELECT array_agg(a.advisory ORDER BY a.published_at DESC)
               FROM vulnerable_versions x JOIN advisories a ON a.advisory_id = x.cause_id
               WHERE x.version_id = v.version_id AND x.verdict = 'affected') AS advisories
       FROM version_statuses v WHERE v.version_id = ANY ($1)`,
      [counted.map(({ version_id }) => version_id)],
    );
    const known = new Map(rows.map((row) => [row.version_id, row]));
    return counted.map(({ version_id, status, reason, released_at, sites }) => {
      const { version, advisories, mark, range } = known.get(version_id)!;
      const released = released_at === null ? null : new Date(released_at).toISOString();
      return {
        ...{ version, sites, status, reason, released_at: released, advisories: advisories ?? [] },
        ...sourcesOf(mark, range),
      };
    });
  }
}

function siteOf(row: SiteRow): Detail['sites'][number] {
  return {
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
  };
}
