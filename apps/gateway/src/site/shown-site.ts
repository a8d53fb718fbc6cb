import type { Site } from './site.entity.js';

/** A site as the API shows it, without what its inventories tell. @param organizationUuid of its owner */
export function shownSite(site: Site, organizationUuid: string) {
  return {
    id: site.uuid,
    organization_id: organizationUuid,
    name: site.name,
    url: site.url,
    environment: site.environment,
    created_at: site.createdAt.toISOString(),
  };
}
