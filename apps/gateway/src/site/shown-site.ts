import type { SiteQuarantine } from '#libs/contracts';
import type { Quarantine, Site } from './site.entity.js';

/** A site as the API shows it, without what its inventories tell. @param organizationUuid of its owner */
export function shownSite(site: Site, organizationUuid: string) {
  return {
    id: site.uuid,
    organization_id: organizationUuid,
    name: site.name,
    url: site.url,
    environment: site.environment,
    created_at: site.createdAt.toISOString(),
    quarantine: shownQuarantine(site),
  };
}

/** Why the site is held, as the API shows it and others are told; null: it is not. */
export function shownQuarantine(site: Quarantine): SiteQuarantine | null {
  const { quarantinedAt, quarantineReason, quarantineNote, reportedUrl, reportedEnvironment } = site;
  if (quarantinedAt === null || quarantineReason === null) return null;
  return {
    since: quarantinedAt.toISOString(),
    reason: quarantineReason,
    note: quarantineNote,
    reported_url: reportedUrl,
    reported_environment: reportedEnvironment,
  };
}
