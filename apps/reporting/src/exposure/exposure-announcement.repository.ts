import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ExposureFact } from '#libs/contracts';

/** An exposure as it is told to others, with whom it belongs to. */
export interface AnnouncedExposure {
  readonly organizationId: number;
  readonly organizationUuid: string;
  readonly fact: ExposureFact;
}

@Injectable()
export class ExposureAnnouncementRepository {
  /** The exposures of `exposureIds` on sites that the registry has told of, oldest first. */
  async facts(tx: EntityManager, exposureIds: readonly number[]): Promise<AnnouncedExposure[]> {
    if (exposureIds.length === 0) return [];
    const rows: AnnouncementRow[] = await tx.query(
      `SELECT e.exposure_uuid, s.organization_id, s.organization_uuid, e.site_id, s.site_uuid, s.name AS site_name, m.module,
              e.installed_version, a.advisory, a.title AS advisory_title, a.url AS advisory_url, a.risk,
              coalesce(e.fixed_in, a.fixed, '{}') AS fixed_in, e.opened_at, e.closed_at, e.reason, e.recorded_at
       FROM exposures e
       JOIN sites s USING (site_id)
       JOIN modules m USING (module_id)
       LEFT JOIN advisories a ON a.advisory_id = e.cause_id
       WHERE e.exposure_id = ANY ($1::bigint[])
       ORDER BY s.organization_id, e.opened_at, e.exposure_id`,
      [exposureIds],
    );
    return rows.map((row) => ({
      organizationId: row.organization_id,
      organizationUuid: row.organization_uuid,
      fact: {
        exposure_id: row.exposure_uuid,
        site_id: row.site_id,
        site_uuid: row.site_uuid,
        site_name: row.site_name,
        module: row.module,
        installed_version: row.installed_version,
        advisory: row.advisory,
        advisory_title: row.advisory_title,
        advisory_url: row.advisory_url,
        risk: row.risk,
        fixed_in: row.fixed_in,
        opened_at: row.opened_at.toISOString(),
        closed_at: row.closed_at?.toISOString() ?? null,
        close_reason: row.reason,
        recorded_at: row.recorded_at.toISOString(),
      },
    }));
  }

  /** Ids of everything that stands on record of sites, for sites that the registry tells of after their facts. */
  async ofSites(tx: EntityManager, siteIds: readonly number[]): Promise<number[]> {
    const rows: { exposure_id: string }[] = await tx.query(
      `SELECT exposure_id FROM exposures WHERE site_id = ANY ($1) AND retracted_at IS NULL`,
      [siteIds],
    );
    return rows.map((row) => Number(row.exposure_id));
  }
}

interface AnnouncementRow {
  exposure_uuid: string;
  organization_id: number;
  organization_uuid: string;
  site_id: number;
  site_uuid: string;
  site_name: string;
  module: string;
  installed_version: string | null;
  advisory: string | null;
  advisory_title: string | null;
  advisory_url: string | null;
  risk: ExposureFact['risk'];
  fixed_in: string[];
  opened_at: Date;
  closed_at: Date | null;
  reason: ExposureFact['close_reason'];
  recorded_at: Date;
}
