import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { booleans, numbers, texts } from '#libs/database';
import { riskRankSql } from './risk-rank.js';

/** A site that something was heard of, and the organization it was said to belong to. */
export interface ReportedSite {
  readonly siteId: number;
  readonly organizationId: number;
}

/** What an inventory says of the site as a whole. Instants are RFC 3339. */
export interface SummarizedInventory {
  readonly siteId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly observedAt: string;
  readonly previousObservedAt: string | null;
  readonly receivedAt: string;
  readonly complete: boolean;
  readonly coreVersion: string | null;
  readonly phpVersion: string | null;
}

export interface HeardSite {
  readonly siteId: number;
  readonly heardAt: string;
  readonly observedAt: string;
  readonly complete: boolean;
}

@Injectable()
export class SiteSummaryRepository {
  /**
   * Makes sure that the sites have a summary and locks it until the transaction ends, in order of site id.
   * Returns the organizations as the registry knows them, else as reported.
   */
  async lock(tx: EntityManager, sites: readonly ReportedSite[]): Promise<Map<number, number>> {
    const ordered = [...new Map(sites.map((site) => [site.siteId, site])).values()].sort((a, b) => a.siteId - b.siteId);
    const siteIds = ordered.map((site) => site.siteId);
    await tx.query(
      `INSERT INTO site_summaries (site_id, organization_id)
       SELECT r.site_id, coalesce(s.organization_id, r.organization_id)
       FROM unnest($1::int[], $2::int[]) AS r(site_id, organization_id)
       LEFT JOIN sites s USING (site_id)
       WHERE NOT EXISTS (SELECT FROM site_summaries there WHERE there.site_id = r.site_id)
       ORDER BY r.site_id
       ON CONFLICT (site_id) DO NOTHING`,
      [numbers(siteIds), numbers(ordered.map((site) => site.organizationId))],
    );
    return this.lockKnown(tx, siteIds);
  }

  /** Locks the summaries that exist, in order of site id. */
  async lockKnown(tx: EntityManager, siteIds: readonly number[]): Promise<Map<number, number>> {
    const rows: { site_id: number; organization_id: number }[] = await tx.query(
      `SELECT site_id, organization_id FROM site_summaries WHERE site_id = ANY ($1) ORDER BY site_id FOR UPDATE`,
      [siteIds],
    );
    return new Map(rows.map((row) => [row.site_id, row.organization_id]));
  }

  /** Takes over what the inventories say; the greatest `(epoch, sequence)` of a site wins. Each counts once. */
  async takeInventories(tx: EntityManager, inventories: readonly SummarizedInventory[]): Promise<void> {
    if (inventories.length === 0) return;
    await tx.query(
      `WITH row AS (
         SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::boolean[],
                              $7::text[], $8::text[])
                       AS row(site_id, epoch, sequence, observed_at, received_at, complete, core_version, php_version)
       ), counted AS (
         SELECT site_id, count(*) AS inventories, min(observed_at) AS first_observed_at, max(observed_at) AS observed_at,
                max(received_at) AS received_at
         FROM row GROUP BY site_id
       ), newest AS (
         SELECT DISTINCT ON (site_id) * FROM row ORDER BY site_id, epoch DESC, sequence DESC
       )
       UPDATE site_summaries s
       SET inventories = s.inventories + c.inventories,
           first_observed_at = least(s.first_observed_at, c.first_observed_at),
           observed_at = greatest(s.observed_at, c.observed_at),
           heard_at = greatest(s.heard_at, c.received_at),
           (epoch, sequence, core_version, php_version) =
             (SELECT p.epoch, p.sequence, p.core_version, p.php_version
              FROM (VALUES (s.epoch, s.sequence, s.core_version, s.php_version),
                           (n.epoch, n.sequence, n.core_version, n.php_version)) AS p(epoch, sequence, core_version, php_version)
              ORDER BY p.epoch DESC NULLS LAST, p.sequence DESC LIMIT 1),
           complete = CASE WHEN s.heard_at IS NULL OR c.received_at >= s.heard_at THEN n.complete ELSE s.complete END
       FROM counted c JOIN newest n USING (site_id)
       WHERE s.site_id = c.site_id`,
      [
        numbers(inventories.map((row) => row.siteId)),
        numbers(inventories.map((row) => row.epoch)),
        numbers(inventories.map((row) => row.sequence)),
        texts(inventories.map((row) => row.observedAt)),
        texts(inventories.map((row) => row.receivedAt)),
        booleans(inventories.map((row) => row.complete)),
        texts(inventories.map((row) => row.coreVersion)),
        texts(inventories.map((row) => row.phpVersion)),
      ],
    );
  }

  /** Takes over when sites were heard from; later times win. */
  async takeHearings(tx: EntityManager, heard: readonly HeardSite[]): Promise<void> {
    if (heard.length === 0) return;
    await tx.query(
      `UPDATE site_summaries s
       SET heard_at = greatest(s.heard_at, r.heard_at), observed_at = greatest(s.observed_at, r.observed_at),
           complete = CASE WHEN s.heard_at IS NULL OR r.heard_at >= s.heard_at THEN r.complete ELSE s.complete END
       FROM (SELECT DISTINCT ON (site_id) *
             FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::boolean[])
                  AS row(site_id, heard_at, observed_at, complete)
             ORDER BY site_id, heard_at DESC) r
       WHERE s.site_id = r.site_id`,
      [
        numbers(heard.map((row) => row.siteId)),
        texts(heard.map((row) => row.heardAt)),
        texts(heard.map((row) => row.observedAt)),
        booleans(heard.map((row) => row.complete)),
      ],
    );
  }

  /** Counts the exposures of sites anew, because some changed. The caller holds their summaries. */
  async recountExposures(tx: EntityManager, siteIds: readonly number[]): Promise<void> {
    await tx.query(
      `UPDATE site_summaries s
       SET open_exposures = c.open_exposures, open_modules = c.open_modules, unknown_exposures = c.unknown_exposures,
           exposed_since = c.exposed_since, worst_risk = c.worst_risk, exposure_changes = s.exposure_changes + 1
       FROM (SELECT site_id,
                    count(*) FILTER (WHERE e.state = 'open')::int AS open_exposures,
                    count(DISTINCT e.module_id) FILTER (WHERE e.state = 'open')::int AS open_modules,
                    count(*) FILTER (WHERE e.state = 'unknown')::int AS unknown_exposures,
                    min(e.opened_at) FILTER (WHERE e.state = 'open') AS exposed_since,
                    max(${riskRankSql('a.risk')}) FILTER (WHERE e.state = 'open') AS worst_risk
             FROM unnest($1::int[]) AS site(site_id)
             LEFT JOIN (SELECT * FROM exposures WHERE state <> 'closed') e USING (site_id)
             LEFT JOIN advisories a ON a.advisory_id = e.cause_id
             GROUP BY site_id) c
       WHERE s.site_id = c.site_id`,
      [siteIds],
    );
  }

  /** Sites on which an exposure to one of the advisories stands: their worst risk may have changed. */
  async exposedTo(tx: EntityManager, advisoryIds: readonly number[]): Promise<number[]> {
    if (advisoryIds.length === 0) return [];
    const rows: { site_id: number }[] = await tx.query(
      `SELECT DISTINCT site_id FROM exposures WHERE cause_id = ANY ($1) AND state <> 'closed' ORDER BY site_id`,
      [advisoryIds],
    );
    return rows.map((row) => row.site_id);
  }
}
