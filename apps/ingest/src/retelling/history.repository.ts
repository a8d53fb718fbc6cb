import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { numbers } from '#libs/database';
import type { KeptChange, KeptModule } from './retold-inventories.js';

/** A site with what is kept of it. Instants are milliseconds since 1970. */
export interface KeptSite {
  readonly siteId: number;
  readonly organizationId: number;
  readonly receivedAt: number;
  readonly observedAt: number;
  /** null: the site has no inventory any more. */
  readonly complete: boolean | null;
  readonly changes: KeptChange[];
  readonly modules: KeptModule[];
}

interface SiteRow {
  site_id: number;
  site_uuid: string;
  organization_id: number;
  observed_at: Date;
  received_at: Date;
  complete: boolean | null;
}

interface ChangeRow {
  site_id: number;
  epoch: number;
  sequence: number;
  organization_id: number;
  push_id: string;
  observed_at: Date;
  previous_observed_at: Date | null;
  received_at: Date;
  complete: boolean;
  first: boolean;
  core_version: string | null;
  php_version: string | null;
  reconstructed: boolean;
}

@Injectable()
export class HistoryRepository {
  /** The next sites after `afterSite` that a push was ever applied to, by id, each with its whole history. */
  async page(tx: EntityManager, afterSite: number, limit: number): Promise<KeptSite[]> {
    const sites: SiteRow[] = await tx.query(
      `SELECT site_id, site_uuid, organization_id, observed_at, received_at, complete FROM site_states
       WHERE site_id > $1 AND epoch IS NOT NULL ORDER BY site_id LIMIT $2`,
      [afterSite, limit],
    );
    if (sites.length === 0) return [];
    const ids = numbers(sites.map((site) => site.site_id));
    const changes: ChangeRow[] = await tx.query(
      `SELECT * FROM inventory_changes WHERE site_id = ANY($1::int[]) ORDER BY site_id, epoch, sequence`,
      [ids],
    );
    const modules: (KeptModule & { siteId: number })[] = await tx.query(
      `SELECT site_id AS "siteId", module, epoch, sequence, type, version, datestamp, state, custom,
              end_epoch AS "endEpoch", end_sequence AS "endSequence"
       FROM site_modules WHERE site_id = ANY($1::int[])`,
      [ids],
    );
    const found = new Map(sites.map((site) => [site.site_id, keptSite(site)]));
    const uuids = new Map(sites.map((site) => [site.site_id, site.site_uuid]));
    for (const row of changes) found.get(row.site_id)!.changes.push(keptChange(row, uuids.get(row.site_id)!));
    for (const { siteId, ...kept } of modules) found.get(siteId)!.modules.push(kept);
    return [...found.values()];
  }
}

function keptSite(row: SiteRow): KeptSite {
  return {
    siteId: row.site_id,
    organizationId: row.organization_id,
    receivedAt: row.received_at.getTime(),
    observedAt: row.observed_at.getTime(),
    complete: row.complete,
    changes: [],
    modules: [],
  };
}

function keptChange(row: ChangeRow, siteUuid: string): KeptChange {
  return {
    siteId: row.site_id,
    siteUuid,
    organizationId: row.organization_id,
    pushId: row.push_id,
    epoch: row.epoch,
    sequence: row.sequence,
    observedAt: row.observed_at.getTime(),
    previousObservedAt: row.previous_observed_at?.getTime() ?? null,
    receivedAt: row.received_at.getTime(),
    complete: row.complete,
    first: row.first,
    coreVersion: row.core_version,
    phpVersion: row.php_version,
    reconstructed: row.reconstructed,
  };
}
