import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { booleans, instants, numbers, texts } from '#libs/database';
import { together } from '../database/together.js';
import type { RegisteredSite, SiteIdentity, SiteState } from './site-state.js';

interface StateRow {
  site_id: number;
  site_uuid: string;
  organization_id: number;
  epoch: number | string | null;
  sequence: number | string | null;
  content_hash: string | null;
  reported_hash: string | null;
  fingerprint: string | null;
  observed_at: Date | null;
  received_at: Date | null;
  complete: boolean | null;
  core_version: string | null;
  php_version: string | null;
  removed_at: Date | null;
}

/** Where sites stand. */
@Injectable()
export class SiteStateRepository {
  /**
   * Locks the rows of the sites, in order of their ids, and makes those that are missing. The statements leave together, so whatever
   * the caller sends in the same go is answered under the locks.
   */
  async lock(tx: EntityManager, sites: readonly SiteIdentity[]): Promise<Map<number, SiteState>> {
    const wanted = [...new Map(sites.map((site) => [site.siteId, site])).values()].sort((a, b) => a.siteId - b.siteId);
    const ids = numbers(wanted.map(({ siteId }) => siteId));
    const [, rows] = await together([
      tx.query(
        `INSERT INTO site_states (site_id, site_uuid, organization_id)
         SELECT n.* FROM unnest($1::int[], $2::uuid[], $3::int[]) AS n (site_id, site_uuid, organization_id)
         WHERE NOT EXISTS (SELECT 1 FROM site_states s WHERE s.site_id = n.site_id LIMIT 1)
         ON CONFLICT (site_id) DO NOTHING`,
        [ids, texts(wanted.map((site) => site.siteUuid)), numbers(wanted.map((site) => site.organizationId))],
      ),
      tx.query<StateRow[]>(
        `SELECT site_id, site_uuid, organization_id, epoch, sequence, content_hash, reported_hash, fingerprint, observed_at,
                received_at, complete, core_version, php_version, removed_at
         FROM site_states WHERE site_id = ANY($1::int[]) ORDER BY site_id FOR UPDATE`,
        [ids],
      ),
    ]);
    return new Map(rows.map((row) => [row.site_id, stateOf(row)]));
  }

  /** @param states locked before; `removed_at` and the registry's revision are not of this concern. */
  async save(tx: EntityManager, states: readonly SiteState[]): Promise<void> {
    if (states.length === 0) return;
    await tx.query(
      `UPDATE site_states s SET organization_id = n.organization_id, epoch = n.epoch, sequence = n.sequence,
         content_hash = n.content_hash, reported_hash = n.reported_hash, fingerprint = n.fingerprint, observed_at = n.observed_at,
         received_at = n.received_at, complete = n.complete, core_version = n.core_version, php_version = n.php_version
       FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[],
                   $8::timestamptz[], $9::boolean[], $10::text[], $11::text[], $12::text[])
         AS n (site_id, organization_id, epoch, sequence, content_hash, reported_hash, observed_at, received_at, complete,
               core_version, php_version, fingerprint)
       WHERE s.site_id = n.site_id`,
      [
        numbers(states.map((state) => state.siteId)),
        numbers(states.map((state) => state.organizationId)),
        numbers(states.map((state) => state.epoch)),
        numbers(states.map((state) => state.sequence)),
        texts(states.map((state) => state.contentHash)),
        texts(states.map((state) => state.reportedHash)),
        instants(states.map((state) => state.observedAt)),
        instants(states.map((state) => state.receivedAt)),
        booleans(states.map((state) => state.complete)),
        texts(states.map((state) => state.coreVersion)),
        texts(states.map((state) => state.phpVersion)),
        texts(states.map((state) => state.fingerprint)),
      ],
    );
  }

  /**
   * Takes over what the registry says of sites; an older revision changes nothing.
   * @param facts one a site, in order of site id.
   * @returns the sites that took a change and are removed.
   */
  async follow(
    tx: EntityManager,
    facts: readonly RegisteredSite[],
  ): Promise<{ siteId: number; siteUuid: string; removedAt: Date }[]> {
    if (facts.length === 0) return [];
    return tx.query(
      `WITH taken AS (
         INSERT INTO site_states (site_id, site_uuid, organization_id, removed_at, revision)
         SELECT * FROM unnest($1::int[], $2::uuid[], $3::int[], $4::timestamptz[], $5::int[])
         ON CONFLICT (site_id) DO UPDATE SET organization_id = excluded.organization_id, removed_at = excluded.removed_at,
           revision = excluded.revision
         WHERE site_states.revision < excluded.revision
         RETURNING site_id, site_uuid, removed_at)
       SELECT site_id AS "siteId", site_uuid AS "siteUuid", removed_at AS "removedAt" FROM taken WHERE removed_at IS NOT NULL
       ORDER BY site_id`,
      [
        numbers(facts.map((fact) => fact.siteId)),
        texts(facts.map((fact) => fact.siteUuid)),
        numbers(facts.map((fact) => fact.organizationId)),
        instants(facts.map((fact) => fact.removedAt)),
        numbers(facts.map((fact) => fact.revision)),
      ],
    );
  }

  /** The site has no inventory any more; the push that stood last keeps its place in the order. */
  async forgetInventory(tx: EntityManager, siteId: number): Promise<void> {
    await tx.query(
      `UPDATE site_states SET content_hash = NULL, reported_hash = NULL, fingerprint = NULL, complete = NULL, core_version = NULL, php_version = NULL
       WHERE site_id = $1`,
      [siteId],
    );
  }
}

function stateOf(row: StateRow): SiteState {
  return {
    siteId: row.site_id,
    siteUuid: row.site_uuid,
    organizationId: row.organization_id,
    epoch: integer(row.epoch),
    sequence: integer(row.sequence),
    contentHash: row.content_hash,
    reportedHash: row.reported_hash,
    fingerprint: row.fingerprint,
    observedAt: row.observed_at?.getTime() ?? null,
    receivedAt: row.received_at?.getTime() ?? null,
    complete: row.complete,
    coreVersion: row.core_version,
    phpVersion: row.php_version,
    removedAt: row.removed_at?.getTime() ?? null,
  };
}

/** int8 comes as a number or as text, by the data source's settings; compared as text it would lie. */
const integer = (value: number | string | null): number | null => (value === null ? null : Number(value));
