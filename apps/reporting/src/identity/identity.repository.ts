import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { OrganizationChanged, SiteChanged } from '#libs/contracts';

/** What a change of a site means for its read model. */
export interface ChangedSite {
  readonly siteId: number;
  readonly organizationId: number;
  /** The registry had not told of it before. */
  readonly first: boolean;
  /** It was removed or restored, or at another time than was known. */
  readonly removalChanged: boolean;
}

/** Tables that carry the organization beside the site. */
const TENANT_TABLES = ['site_inventories', 'site_facts', 'site_modules', 'exposures', 'site_summaries'] as const;

@Injectable()
export class IdentityRepository {
  /** Stores organizations newer than what stands. */
  async storeOrganizations(tx: EntityManager, organizations: readonly OrganizationChanged[]): Promise<void> {
    if (organizations.length === 0) return;
    await tx.query(
      `INSERT INTO organizations AS there (organization_id, organization_uuid, name, time_zone, removed_at, revision)
       SELECT * FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::int[])
       ON CONFLICT (organization_id) DO UPDATE
       SET organization_uuid = excluded.organization_uuid, name = excluded.name, time_zone = excluded.time_zone,
           removed_at = excluded.removed_at, revision = excluded.revision
       WHERE there.revision < excluded.revision`,
      [
        organizations.map((row) => row.organization_id),
        organizations.map((row) => row.organization_uuid),
        organizations.map((row) => row.name),
        organizations.map((row) => row.time_zone),
        organizations.map((row) => row.removed_at),
        organizations.map((row) => row.revision),
      ],
    );
  }

  /** Stores sites newer than what stands and returns those. The caller holds their summaries. */
  async storeSites(tx: EntityManager, sites: readonly SiteChanged[]): Promise<ChangedSite[]> {
    const rows: { site_id: number; organization_id: number; first: boolean; removal_changed: boolean }[] =
      await tx.query(
        `WITH arrived AS (
         SELECT told.site_id, told.site_uuid, told.organization_id, told.organization_uuid, told.name, told.url, told.environment, told.created_at,
                told.removed_at, told.revision,
                -- Whoever says nothing of quarantines knows of none: what stands then stays.
                CASE WHEN told.tells THEN told.quarantine::jsonb ELSE known.quarantine END AS quarantine
         FROM unnest($1::int[], $2::uuid[], $3::int[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                     $8::timestamptz[], $9::timestamptz[], $10::int[], $11::text[], $12::boolean[])
              AS told(site_id, site_uuid, organization_id, organization_uuid, name, url, environment, created_at,
                     removed_at, revision, quarantine, tells)
         LEFT JOIN sites known USING (site_id)
       ), stored AS (
         INSERT INTO sites AS there (site_id, site_uuid, organization_id, organization_uuid, name, url, environment, created_at,
                                     removed_at, revision, quarantine)
         SELECT * FROM arrived
         ON CONFLICT (site_id) DO UPDATE
         SET site_uuid = excluded.site_uuid, organization_id = excluded.organization_id,
             organization_uuid = excluded.organization_uuid, name = excluded.name, url = excluded.url,
             environment = excluded.environment, created_at = excluded.created_at, removed_at = excluded.removed_at,
             revision = excluded.revision, quarantine = excluded.quarantine
         WHERE there.revision < excluded.revision
         RETURNING site_id, organization_id, removed_at
       )
       SELECT stored.site_id, stored.organization_id, before.site_id IS NULL AS first,
              stored.removed_at IS DISTINCT FROM before.removed_at AS removal_changed
       FROM stored LEFT JOIN sites before USING (site_id)`,
        [
          sites.map((row) => row.site_id),
          sites.map((row) => row.site_uuid),
          sites.map((row) => row.organization_id),
          sites.map((row) => row.organization_uuid),
          sites.map((row) => row.name),
          sites.map((row) => row.url),
          sites.map((row) => row.environment),
          sites.map((row) => row.created_at),
          sites.map((row) => row.removed_at),
          sites.map((row) => row.revision),
          sites.map(({ quarantine }) => (quarantine ? JSON.stringify(quarantine) : null)),
          sites.map((row) => row.quarantine !== undefined),
        ],
      );
    return rows.map((row) => ({
      siteId: row.site_id,
      organizationId: row.organization_id,
      first: row.first,
      removalChanged: row.removal_changed,
    }));
  }

  /** Makes everything of the sites belong to their organization. Returns the sites that belonged to another one. */
  async moveToOrganization(tx: EntityManager, siteIds: readonly number[]): Promise<number[]> {
    const moved: { site_id: number }[] = await tx.query(
      `SELECT t.site_id FROM site_summaries t JOIN sites s USING (site_id)
       WHERE t.site_id = ANY ($1) AND s.organization_id <> t.organization_id`,
      [siteIds],
    );
    if (moved.length === 0) return [];
    for (const table of TENANT_TABLES) {
      await tx.query(
        `UPDATE ${table} t SET organization_id = s.organization_id
         FROM sites s
         WHERE t.site_id = ANY ($1) AND s.site_id = t.site_id AND t.organization_id <> s.organization_id`,
        [siteIds],
      );
    }
    return moved.map((row) => row.site_id);
  }

  /** Every module that one of the sites has or had, with the site: by position. */
  async modulesOf(tx: EntityManager, siteIds: readonly number[]): Promise<{ siteIds: number[]; moduleIds: number[] }> {
    const rows: { site_id: number; module_id: number }[] = await tx.query(
      `SELECT DISTINCT site_id, module_id FROM site_modules WHERE site_id = ANY ($1)`,
      [siteIds],
    );
    return { siteIds: rows.map((row) => row.site_id), moduleIds: rows.map((row) => row.module_id) };
  }
}
