import { siteChanged } from '#libs/contracts';
import type { OutgoingEvent } from '#libs/outbox';
import { shownQuarantine } from './shown-site.js';
import type { Site } from './site.entity.js';

/** The site as others shall know it now. */
export function siteFact(
  site: Site,
  organizationUuid: string,
  correlationId: string,
): OutgoingEvent<typeof siteChanged> {
  return {
    event: siteChanged,
    organizationId: site.organizationId,
    key: site.uuid,
    correlationId,
    body: {
      site_id: site.id,
      site_uuid: site.uuid,
      organization_id: site.organizationId,
      organization_uuid: organizationUuid,
      name: site.name,
      url: site.url,
      environment: site.environment,
      created_at: site.createdAt.toISOString(),
      removed_at: site.removedAt?.toISOString() ?? null,
      revision: site.revision,
      quarantine: shownQuarantine(site),
    },
  };
}
