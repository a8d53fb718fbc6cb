import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type {
  AdvisoryChanged,
  InventoryChanged,
  ModuleReleasesChanged,
  OrganizationChanged,
  SiteChanged,
} from '#libs/contracts';

/** An inventory as it is stored, where history knows less of it. */
export type StoredInventory = Pick<
  InventoryChanged,
  | 'epoch'
  | 'sequence'
  | 'push_id'
  | 'observed_at'
  | 'previous_observed_at'
  | 'received_at'
  | 'complete'
  | 'core_version'
  | 'php_version'
>;

/** When a site was last heard from. Instants are RFC 3339. */
export interface StoredHearing {
  readonly heardAt: string;
  readonly observedAt: string;
  readonly complete: boolean;
}

/** Takes out of the read models what is about to be told anew; always in the transaction that puts it back. */
@Injectable()
export class ForgetModelsRepository {
  /** Lets the registry's word count again, unless a newer one has come. */
  async registry(
    tx: EntityManager,
    organizations: readonly OrganizationChanged[],
    sites: readonly SiteChanged[],
  ): Promise<void> {
    await tx.query(
      `UPDATE organizations o SET revision = 0 FROM unnest($1::int[], $2::int[]) AS told(id, revision)
       WHERE o.organization_id = told.id AND o.revision <= told.revision`,
      [organizations.map((row) => row.organization_id), organizations.map((row) => row.revision)],
    );
    await tx.query(
      `UPDATE sites s SET revision = 0 FROM unnest($1::int[], $2::int[]) AS told(id, revision)
       WHERE s.site_id = told.id AND s.revision <= told.revision`,
      [sites.map((row) => row.site_id), sites.map((row) => row.revision)],
    );
  }

  /** Lets the catalog's word count again, unless a newer one has come, and drops verdicts whose cause is gone. @returns the modules' ids. */
  async catalog(
    tx: EntityManager,
    histories: readonly ModuleReleasesChanged[],
    advisories: readonly AdvisoryChanged[],
  ): Promise<number[]> {
    await tx.query(
      `UPDATE modules m SET revision = 0 FROM unnest($1::text[], $2::int[]) AS told(module, revision)
       WHERE m.module = told.module AND m.revision <= told.revision`,
      [histories.map((row) => row.module), histories.map((row) => row.revision)],
    );
    await tx.query(
      `UPDATE advisories a SET revision = 0
       FROM unnest($1::text[], $2::text[], $3::int[]) AS told(advisory, module, revision), modules m
       WHERE m.module = told.module AND a.module_id = m.module_id AND a.advisory = told.advisory AND a.revision <= told.revision`,
      [
        advisories.map((row) => row.advisory),
        advisories.map((row) => row.module),
        advisories.map((row) => row.revision),
      ],
    );
    const ids = await this.moduleIds(
      tx,
      [...histories, ...advisories].map(({ module }) => module),
    );
    await tx.query(
      `DELETE FROM vulnerable_versions v WHERE v.module_id = ANY ($1) AND v.cause_id <> 0
         AND NOT EXISTS (SELECT FROM advisories a WHERE a.advisory_id = v.cause_id AND a.module_id = v.module_id)`,
      [ids],
    );
    return ids;
  }

  async moduleIds(tx: EntityManager, modules: readonly string[]): Promise<number[]> {
    const rows: { module_id: number }[] = await tx.query(
      'SELECT module_id FROM modules WHERE module = ANY ($1) ORDER BY module_id',
      [modules],
    );
    return rows.map((row) => row.module_id);
  }

  /** Facts, inventories and intervals of a site up to `(epoch, sequence)`: what is later came while history was told. */
  async site(tx: EntityManager, siteId: number, epoch: number, sequence: number): Promise<void> {
    const parameters = [siteId, epoch, sequence];
    for (const table of ['site_facts', 'site_inventories'])
      await tx.query(`DELETE FROM ${table} WHERE site_id = $1 AND (epoch, sequence) <= ($2, $3)`, parameters);
    await tx.query(
      `DELETE FROM site_modules m WHERE m.site_id = $1 AND NOT EXISTS (
         SELECT FROM site_facts f WHERE (f.site_id, f.module_id, f.epoch, f.sequence) = (m.site_id, m.module_id, m.epoch, m.sequence))`,
      [siteId],
    );
  }

  /** What the summary says of the site as a whole. @returns when it was last heard from, as far as was known. */
  async summary(tx: EntityManager, siteId: number): Promise<StoredHearing | null> {
    const rows: { heard_at: Date | null; observed_at: Date | null; complete: boolean | null }[] = await tx.query(
      'SELECT heard_at, observed_at, complete FROM site_summaries WHERE site_id = $1',
      [siteId],
    );
    await tx.query(
      `UPDATE site_summaries SET epoch = NULL, sequence = NULL, core_version = NULL, php_version = NULL, complete = NULL,
         first_observed_at = NULL, observed_at = NULL, heard_at = NULL, inventories = 0
       WHERE site_id = $1`,
      [siteId],
    );
    const [row] = rows;
    if (!row?.heard_at || !row.observed_at) return null;
    return {
      heardAt: row.heard_at.toISOString(),
      observedAt: row.observed_at.toISOString(),
      complete: row.complete ?? false,
    };
  }

  /** Inventories of a site as they are stored, by `<epoch> <sequence>`. */
  async inventories(tx: EntityManager, siteId: number): Promise<Map<string, StoredInventory>> {
    const rows: (Omit<StoredInventory, 'observed_at' | 'previous_observed_at' | 'received_at'> & {
      observed_at: Date;
      previous_observed_at: Date | null;
      received_at: Date;
    })[] = await tx.query(
      `SELECT epoch, sequence, push_id, observed_at, previous_observed_at, received_at, complete, core_version, php_version
       FROM site_inventories WHERE site_id = $1`,
      [siteId],
    );
    return new Map(
      rows.map((row) => [
        `${row.epoch} ${row.sequence}`,
        {
          ...row,
          observed_at: row.observed_at.toISOString(),
          previous_observed_at: row.previous_observed_at?.toISOString() ?? null,
          received_at: row.received_at.toISOString(),
        },
      ]),
    );
  }

  /** Modules that the site has, had, or is on record as exposed by: by position. */
  async pairs(tx: EntityManager, siteId: number): Promise<{ siteIds: number[]; moduleIds: number[] }> {
    const rows: { module_id: number }[] = await tx.query(
      `SELECT module_id FROM site_modules WHERE site_id = $1
       UNION SELECT module_id FROM exposures WHERE site_id = $1 AND retracted_at IS NULL ORDER BY module_id`,
      [siteId],
    );
    return { siteIds: rows.map(() => siteId), moduleIds: rows.map((row) => row.module_id) };
  }
}
