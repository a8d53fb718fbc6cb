import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, InternalId, Nullable, Uuid } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** The organization (tenant) as the registry knows it now. A greater `revision` wins. */
export const OrganizationChanged = Type.Object({
  organization_id: InternalId,
  organization_uuid: Uuid,
  name: Type.String(),
  time_zone: Type.String(),
  removed_at: Nullable(Instant),
  revision: Type.Integer({ minimum: 1 }),
});
export type OrganizationChanged = Type.Static<typeof OrganizationChanged>;

export const organizationChanged = defineEvent({
  type: 'gateway.organization-changed',
  version: 1,
  schema: OrganizationChanged,
  queues: [QUEUES.reportingIdentity, QUEUES.notifierIdentity],
});
