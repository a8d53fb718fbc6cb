import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ModelRow } from './read-model-comparison.js';

/** What a row says of its own recording, and what only ever grows; two recordings of the same facts may differ in it. */
const RECORDING = `'{exposure_id,exposure_uuid,recorded_at,closed_recorded_at}'::text[]`;

const EXPOSURE_KEY = `m.module || ' ' || coalesce(a.advisory, 'marked insecure') || ' since ' || e.opened_at`;

/** The read models as rows that can be compared. */
@Injectable()
export class ModelSnapshotRepository {
  /** Everything that is derived from what one site reported. The caller holds its summary. */
  ofSite(tx: EntityManager, siteId: number): Promise<ModelRow[]> {
    return tx.query(
      `SELECT 'site_inventories' AS table, i.epoch || '/' || i.sequence AS key, to_jsonb(i)::text AS row
       FROM site_inventories i WHERE i.site_id = $1
       UNION ALL
       SELECT 'site_facts', m.module || ' at ' || f.epoch || '/' || f.sequence, to_jsonb(f)::text
       FROM site_facts f JOIN modules m USING (module_id) WHERE f.site_id = $1
       UNION ALL
       SELECT 'site_modules', m.module || ' at ' || s.epoch || '/' || s.sequence, to_jsonb(s)::text
       FROM site_modules s JOIN modules m USING (module_id) WHERE s.site_id = $1
       UNION ALL
       SELECT 'exposures', ${EXPOSURE_KEY}, (to_jsonb(e) - ${RECORDING})::text
       FROM exposures e JOIN modules m USING (module_id) LEFT JOIN advisories a ON a.advisory_id = e.cause_id
       WHERE e.site_id = $1 AND e.retracted_at IS NULL
       UNION ALL
       SELECT 'site_summaries', 'summary', (to_jsonb(s) - 'exposure_changes')::text
       FROM site_summaries s WHERE s.site_id = $1`,
      [siteId],
    );
  }

  /** Everything that is derived from what is known of modules, exposures summed by site: a module of every site has many. */
  ofModules(tx: EntityManager, moduleIds: readonly number[]): Promise<ModelRow[]> {
    return tx.query(
      `SELECT 'modules' AS table, m.module AS key,
              -- A history may weigh a megabyte: its digest tells as well.
              (to_jsonb(m) - 'history' || jsonb_build_object('history', md5(m.history::text)))::text AS row
       FROM modules m WHERE m.module_id = ANY ($1)
       UNION ALL
       SELECT 'advisories', a.advisory || ' on ' || m.module, to_jsonb(a)::text
       FROM advisories a JOIN modules m USING (module_id) WHERE a.module_id = ANY ($1)
       UNION ALL
       SELECT 'version_statuses', m.module || ' ' || coalesce(v.version, '(no version)') || ' ' || v.datestamp, to_jsonb(v)::text
       FROM version_statuses v JOIN modules m USING (module_id) WHERE v.module_id = ANY ($1)
       UNION ALL
       SELECT 'vulnerable_versions', m.module || ' ' || coalesce(s.version, '(no version)') || ' ' || coalesce(a.advisory, v.cause_id::text),
              to_jsonb(v)::text
       FROM vulnerable_versions v JOIN modules m USING (module_id) JOIN version_statuses s USING (version_id)
       LEFT JOIN advisories a ON a.advisory_id = v.cause_id
       WHERE v.module_id = ANY ($1)
       UNION ALL
       SELECT 'exposures by module', m.module || ' on site ' || e.site_id,
              json_build_object('exposures', count(*), 'digest', md5(string_agg((to_jsonb(e) - ${RECORDING})::text, ' '
                                ORDER BY e.cause_id, e.opened_at)))::text
       FROM exposures e JOIN modules m USING (module_id)
       WHERE e.module_id = ANY ($1) AND e.retracted_at IS NULL
       GROUP BY m.module, e.site_id`,
      [moduleIds],
    );
  }

  /** The registry as this service knows it. */
  ofRegistry(tx: EntityManager, organizationIds: readonly number[], siteIds: readonly number[]): Promise<ModelRow[]> {
    return tx.query(
      `SELECT 'organizations' AS table, o.organization_uuid::text AS key, to_jsonb(o)::text AS row FROM organizations o WHERE o.organization_id = ANY ($1)
       UNION ALL
       SELECT 'sites', s.site_uuid::text, to_jsonb(s)::text FROM sites s WHERE s.site_id = ANY ($2)`,
      [organizationIds, siteIds],
    );
  }

  /** Sites that facts are stored of, modules that releases or advisories are stored of: for those that nobody told of. */
  async known(tx: EntityManager): Promise<{ siteIds: number[]; advisories: string[] }> {
    const sites: { site_id: number }[] = await tx.query(
      'SELECT DISTINCT site_id FROM site_inventories ORDER BY site_id',
    );
    const advisories: { advisory: string }[] = await tx.query(
      'SELECT DISTINCT advisory FROM advisories ORDER BY advisory',
    );
    return { siteIds: sites.map((row) => row.site_id), advisories: advisories.map((row) => row.advisory) };
  }
}
