import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { SqlConditions } from '../reading/sql-conditions.js';
import type { AdvisoryOnModule } from './module-versions.js';

/** A version that sites in scope run now. */
export interface InstalledCount {
  readonly version: string | null;
  /** Of the snapshot that most sites run; 0 for a release. */
  readonly datestamp: number;
  readonly sites: number;
  readonly exposed: number;
}

@Injectable()
export class ModuleVersionsRepository {
  /** One row a version: snapshots of one name that were packaged at other times count together. */
  async installed(tx: EntityManager, moduleId: number, scope: Scope): Promise<InstalledCount[]> {
    const where = new SqlConditions()
      .within(scope, 'i')
      .add('v.module_id = ?::int', moduleId)
      .add('i.current')
      .add('s.removed_at IS NULL');
    return tx.query(
      `WITH exposed AS (
         SELECT DISTINCT site_id FROM exposures WHERE module_id = ${where.parameter(moduleId)}::int AND state = 'open'
       )
       SELECT v.version, mode() WITHIN GROUP (ORDER BY v.datestamp)::float8 AS datestamp, count(*)::int AS sites,
              count(e.site_id)::int AS exposed
       FROM version_statuses v
       JOIN site_modules i USING (version_id)
       JOIN sites s USING (site_id)
       LEFT JOIN exposed e USING (site_id)
       WHERE ${where.sql}
       GROUP BY v.version`,
      where.parameters,
    );
  }

  /** The published advisories on a module, the newest first. */
  async advisories(tx: EntityManager, moduleId: number): Promise<AdvisoryOnModule[]> {
    return tx.query(
      `SELECT advisory, affected, affected_d7 AS "affectedD7", fixed, unsupported
       FROM advisories WHERE module_id = $1 AND state = 'published' ORDER BY published_at DESC, advisory_id DESC`,
      [moduleId],
    );
  }
}
