import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ModuleFacts } from './module-list.js';

/** What is said of one version, to whoever runs it. */
export interface KnownVersion {
  readonly versionId: number;
  readonly moduleId: number;
  /** Of the module when this was read. */
  readonly revision: number;
  readonly status: string;
  readonly standing: string;
}

@Injectable()
export class KnownModulesRepository {
  /** Changes with every change of a module. */
  async stamp(tx: EntityManager): Promise<string> {
    const rows: { stamp: string }[] = await tx.query(
      `SELECT concat_ws(' ', count(*), sum(revision)) AS stamp FROM modules`,
    );
    return rows[0]!.stamp;
  }

  async revisions(tx: EntityManager): Promise<{ moduleId: number; revision: number }[]> {
    return tx.query(`SELECT module_id AS "moduleId", revision FROM modules`);
  }

  async modules(tx: EntityManager, moduleIds: readonly number[]): Promise<ModuleFacts[]> {
    return tx.query(
      `SELECT module_id AS "moduleId", module, revision, outcome IS NOT DISTINCT FROM 'ok' AS listed, title, type AS "projectType", link,
              history ->> 'project_status' AS "projectStatus"
       FROM modules WHERE module_id = ANY ($1)`,
      [moduleIds],
    );
  }

  /** Those of the modules, and those that are named. */
  async versions(
    tx: EntityManager,
    moduleIds: readonly number[],
    versionIds: readonly number[],
  ): Promise<KnownVersion[]> {
    return tx.query(
      `SELECT v.version_id AS "versionId", v.module_id AS "moduleId", m.revision, v.status, v.standing
       FROM version_statuses v JOIN modules m USING (module_id) WHERE v.module_id = ANY ($1)
       UNION
       SELECT v.version_id, v.module_id, m.revision, v.status, v.standing
       FROM version_statuses v JOIN modules m USING (module_id) WHERE v.version_id = ANY ($2)`,
      [moduleIds, versionIds],
    );
  }
}
