import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** An inventory that changed something, as a row. Instants are RFC 3339. */
export interface InventoryRow {
  readonly siteId: number;
  readonly organizationId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly pushId: string;
  readonly observedAt: string;
  readonly previousObservedAt: string | null;
  readonly receivedAt: string;
  readonly complete: boolean;
  readonly coreVersion: string | null;
  readonly phpVersion: string | null;
  readonly changes: number;
}

/** One fact of an inventory; `versionId` null: the module is gone. */
export interface FactRow {
  readonly siteId: number;
  readonly moduleId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly organizationId: number;
  readonly versionId: number | null;
  readonly datestamp: number | null;
  readonly state: string | null;
  readonly type: string;
  readonly observedAt: string;
  readonly previousObservedAt: string | null;
}

/** Which inventory of which site. */
export interface InventoryKey {
  readonly siteId: number;
  readonly epoch: number;
  readonly sequence: number;
}

/** A site and a module on it. */
export interface SiteModulePair {
  readonly siteId: number;
  readonly moduleId: number;
}

@Injectable()
export class SiteFactsRepository {
  /** Stores inventories not stored before and returns those. */
  async addInventories(tx: EntityManager, rows: readonly InventoryRow[]): Promise<InventoryKey[]> {
    if (rows.length === 0) return [];
    const added: { site_id: number; epoch: number; sequence: number }[] = await tx.query(
      `INSERT INTO site_inventories (site_id, organization_id, epoch, sequence, push_id, observed_at, previous_observed_at,
                                     received_at, complete, core_version, php_version, changes)
       SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::uuid[], $6::timestamptz[], $7::timestamptz[],
                            $8::timestamptz[], $9::boolean[], $10::text[], $11::text[], $12::int[])
       ON CONFLICT (site_id, epoch, sequence) DO NOTHING
       RETURNING site_id, epoch::float8 AS epoch, sequence::float8 AS sequence`,
      [
        rows.map((row) => row.siteId),
        rows.map((row) => row.organizationId),
        rows.map((row) => row.epoch),
        rows.map((row) => row.sequence),
        rows.map((row) => row.pushId),
        rows.map((row) => row.observedAt),
        rows.map((row) => row.previousObservedAt),
        rows.map((row) => row.receivedAt),
        rows.map((row) => row.complete),
        rows.map((row) => row.coreVersion),
        rows.map((row) => row.phpVersion),
        rows.map((row) => row.changes),
      ],
    );
    return added.map((row) => ({ siteId: row.site_id, epoch: row.epoch, sequence: row.sequence }));
  }

  /** Stores facts not stored before and returns the pairs that got one. A fact that is there already is the same fact. */
  async addFacts(tx: EntityManager, rows: readonly FactRow[]): Promise<SiteModulePair[]> {
    if (rows.length === 0) return [];
    const added: { site_id: number; module_id: number }[] = await tx.query(
      `INSERT INTO site_facts (site_id, module_id, epoch, sequence, organization_id, version_id, datestamp, state, type,
                               observed_at, previous_observed_at)
       SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::int[], $6::int[], $7::bigint[], $8::text[],
                            $9::text[], $10::timestamptz[], $11::timestamptz[])
       ON CONFLICT (site_id, module_id, epoch, sequence) DO NOTHING
       RETURNING site_id, module_id`,
      [
        rows.map((row) => row.siteId),
        rows.map((row) => row.moduleId),
        rows.map((row) => row.epoch),
        rows.map((row) => row.sequence),
        rows.map((row) => row.organizationId),
        rows.map((row) => row.versionId),
        rows.map((row) => row.datestamp),
        rows.map((row) => row.state),
        rows.map((row) => row.type),
        rows.map((row) => row.observedAt),
        rows.map((row) => row.previousObservedAt),
      ],
    );
    const pairs = new Map(added.map((row) => [`${row.site_id} ${row.module_id}`, row]));
    return [...pairs.values()].map((row) => ({ siteId: row.site_id, moduleId: row.module_id }));
  }

  /**
   * Derives the intervals of the pairs anew from all their facts and writes those that differ. Time never runs backwards along
   * `(epoch, sequence)`, whatever the facts claim. The caller holds the sites' rows.
   */
  async rebuildIntervals(tx: EntityManager, pairs: readonly SiteModulePair[]): Promise<void> {
    if (pairs.length === 0) return;
    await tx.query(
      `WITH pairs AS (
         SELECT * FROM unnest($1::int[], $2::int[]) AS pair(site_id, module_id)
       ), ordered AS (
         SELECT f.*, max(f.observed_at) OVER (PARTITION BY f.site_id, f.module_id ORDER BY f.epoch, f.sequence) AS valid_from
         FROM pairs JOIN site_facts f USING (site_id, module_id)
       ), derived AS (
         SELECT o.*, lead(o.valid_from) OVER following AS valid_to,
                lead(o.sequence) OVER following IS NULL AND o.version_id IS NOT NULL AS current
         FROM ordered o
         WINDOW following AS (PARTITION BY o.site_id, o.module_id ORDER BY o.epoch, o.sequence)
       )
       INSERT INTO site_modules AS there (site_id, module_id, epoch, sequence, organization_id, version_id, state, type, valid_from,
                                          valid_to, previous_observed_at, current)
       SELECT d.site_id, d.module_id, d.epoch, d.sequence, d.organization_id, d.version_id, d.state, d.type, d.valid_from,
              d.valid_to, d.previous_observed_at, d.current
       FROM derived d
       LEFT JOIN site_modules m USING (site_id, module_id, epoch, sequence)
       WHERE m.site_id IS NULL OR (m.valid_from, m.valid_to, m.current) IS DISTINCT FROM (d.valid_from, d.valid_to, d.current)
       ON CONFLICT (site_id, module_id, epoch, sequence) DO UPDATE
       SET valid_from = excluded.valid_from, valid_to = excluded.valid_to, current = excluded.current,
           standing = CASE WHEN excluded.current THEN there.standing END`,
      [pairs.map((pair) => pair.siteId), pairs.map((pair) => pair.moduleId)],
    );
  }
}
