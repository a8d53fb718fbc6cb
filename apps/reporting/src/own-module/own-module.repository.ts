import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CustomReleasesChanged, Scope } from '#libs/contracts';
import { SqlConditions } from '../reading/sql-conditions.js';
import type { InstalledVersion, JudgedStatus } from '../version-status/version-judgement.js';
import type { OwnModule } from './own-module.js';

/** A status that holds for the sites of one organization. */
export interface OwnStatus extends JudgedStatus {
  readonly organizationId: number;
}

/** Sites of a scope that run one version of an own module, with what is said of it there. */
export interface OwnVersionCount {
  readonly moduleId: number;
  readonly versionId: number;
  readonly status: string;
  readonly standing: string;
  readonly type: string;
  readonly sites: number;
  readonly exposed: number;
}

/** Drupal.org's word on a project counts before anybody's own. */
const OWN = `o.history IS NOT NULL AND m.outcome IS DISTINCT FROM 'ok'`;
const COLUMNS = `o.organization_id AS "organizationId", o.organization_uuid AS "organizationUuid", o.module_id AS "moduleId", m.module,
                 o.revision, o.known_at AS "knownAt", o.history`;

@Injectable()
export class OwnModuleRepository {
  /** Stores the declarations that are newer than what stands and returns the modules of those. */
  async store(
    tx: EntityManager,
    changes: readonly CustomReleasesChanged[],
    moduleIds: ReadonlyMap<string, number>,
  ): Promise<number[]> {
    if (changes.length === 0) return [];
    const rows: { module_id: number }[] = await tx.query(
      `INSERT INTO own_modules AS there (organization_id, module_id, organization_uuid, revision, known_at, history)
       SELECT * FROM unnest($1::int[], $2::int[], $3::uuid[], $4::int[], $5::timestamptz[], $6::jsonb[])
       ON CONFLICT (organization_id, module_id) DO UPDATE
       SET organization_uuid = excluded.organization_uuid, revision = excluded.revision, known_at = excluded.known_at,
           history = excluded.history
       WHERE there.revision < excluded.revision
       RETURNING module_id`,
      [
        changes.map((change) => change.organization_id),
        changes.map((change) => moduleIds.get(change.module)),
        changes.map((change) => change.organization_uuid),
        changes.map((change) => change.revision),
        changes.map((change) => change.known_at),
        changes.map((change) => (change.history ? JSON.stringify(change.history) : null)),
      ],
    );
    return rows.map((row) => row.module_id);
  }

  /** The declarations of modules that count. */
  async ofModules(tx: EntityManager, moduleIds: readonly number[]): Promise<OwnModule[]> {
    if (moduleIds.length === 0) return [];
    return tx.query(
      `SELECT ${COLUMNS} FROM own_modules o JOIN modules m USING (module_id) WHERE o.module_id = ANY ($1) AND ${OWN}`,
      [moduleIds],
    );
  }

  /** The declarations in scope that count, by organization; of one module, or all. */
  async inScope(tx: EntityManager, scope: Scope, moduleId: number | null): Promise<OwnModule[]> {
    const where = new SqlConditions().add(OWN).addIf(moduleId, 'o.module_id = ?::int');
    if (scope.organization_ids !== null) where.add('o.organization_id = ANY (?::int[])', scope.organization_ids);
    return tx.query(
      `SELECT ${COLUMNS} FROM own_modules o JOIN modules m USING (module_id) WHERE ${where.sql} ORDER BY o.organization_id, o.module_id`,
      where.parameters,
    );
  }

  async versionsOf(
    tx: EntityManager,
    moduleIds: readonly number[],
  ): Promise<(InstalledVersion & { moduleId: number })[]> {
    return tx.query(
      `SELECT version_id AS "versionId", module_id AS "moduleId", version, datestamp::float8 AS datestamp
       FROM version_statuses WHERE module_id = ANY ($1)`,
      [moduleIds],
    );
  }

  /** Removes what was said of all versions of modules. */
  async removeStatuses(tx: EntityManager, moduleIds: readonly number[]): Promise<void> {
    await tx.query(
      `DELETE FROM own_version_statuses o USING version_statuses v
       WHERE v.version_id = o.version_id AND v.module_id = ANY ($1)`,
      [moduleIds],
    );
  }

  async addStatuses(tx: EntityManager, statuses: readonly OwnStatus[]): Promise<void> {
    if (statuses.length === 0) return;
    await tx.query(
      `INSERT INTO own_version_statuses (organization_id, version_id, status, reason, standing, recommended, latest, security_updates,
                                         available_since, released_at)
       SELECT organization_id, version_id, status, reason, standing, recommended, latest,
              ARRAY(SELECT jsonb_array_elements_text(updates)), available_since, released_at
       FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[], $9::timestamptz[],
                   $10::timestamptz[])
            AS row(organization_id, version_id, status, reason, standing, recommended, latest, updates, available_since, released_at)
       ON CONFLICT (organization_id, version_id) DO NOTHING`,
      [
        statuses.map((status) => status.organizationId),
        statuses.map((status) => status.versionId),
        statuses.map((status) => status.status),
        statuses.map((status) => status.reason),
        statuses.map((status) => status.standing),
        statuses.map((status) => status.recommended),
        statuses.map((status) => status.latest),
        statuses.map((status) => JSON.stringify(status.securityUpdates)),
        statuses.map((status) => status.availableSince),
        statuses.map((status) => status.releasedAt),
      ],
    );
  }

  /** What the sites in scope run of modules, by version and by what is said of it. */
  async counts(tx: EntityManager, scope: Scope, moduleIds: readonly number[]): Promise<OwnVersionCount[]> {
    if (moduleIds.length === 0) return [];
    const where = new SqlConditions()
      .within(scope, 'i')
      .add('v.module_id = ANY (?::int[])', moduleIds)
      .add('i.current')
      .add('s.removed_at IS NULL');
    return tx.query(
      `SELECT v.module_id AS "moduleId", v.version_id AS "versionId", coalesce(o.status, v.status) AS status,
              coalesce(o.standing, v.standing) AS standing, min(i.type) AS type, count(*)::int AS sites,
              count(*) FILTER (WHERE EXISTS (
                SELECT FROM exposures e WHERE e.site_id = i.site_id AND e.module_id = i.module_id AND e.state = 'open'))::int AS exposed
       FROM version_statuses v
       JOIN site_modules i USING (version_id)
       JOIN sites s USING (site_id)
       LEFT JOIN own_version_statuses o ON o.organization_id = i.organization_id AND o.version_id = v.version_id
       WHERE ${where.sql}
       GROUP BY 1, 2, 3, 4`,
      where.parameters,
    );
  }
}
