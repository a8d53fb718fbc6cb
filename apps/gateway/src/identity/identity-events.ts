import { memberChanged, organizationChanged } from '#libs/contracts';
import type { OutgoingEvent } from '#libs/outbox';
import type { Organization } from './organization.entity.js';
import type { User } from './user.entity.js';

/** The organization as others shall know it now. */
export function organizationFact(organization: Organization): OutgoingEvent<typeof organizationChanged> {
  return {
    event: organizationChanged,
    organizationId: organization.id,
    key: organization.uuid,
    body: {
      organization_id: organization.id,
      organization_uuid: organization.uuid,
      name: organization.name,
      time_zone: organization.timeZone,
      removed_at: organization.removedAt?.toISOString() ?? null,
      revision: organization.revision,
    },
  };
}

/** The person as others shall know her now. */
export function memberFact(user: User, organizationIds: readonly number[]): OutgoingEvent<typeof memberChanged> {
  return {
    event: memberChanged,
    organizationId: null,
    key: user.uuid,
    body: {
      user_id: user.id,
      user_uuid: user.uuid,
      email: user.email,
      name: user.name,
      superuser: user.superuser,
      active: user.active,
      organization_ids: [...organizationIds],
      revision: user.revision,
    },
  };
}
