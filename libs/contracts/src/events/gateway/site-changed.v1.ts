import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, InternalId, Nullable, SiteEnvironment, SiteQuarantine, Uuid } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** The site as the registry knows it now. A greater `revision` wins, whatever arrives first. */
export const SiteChanged = Type.Object({
  site_id: InternalId,
  site_uuid: Uuid,
  organization_id: InternalId,
  organization_uuid: Uuid,
  name: Type.String(),
  url: Type.String(),
  environment: SiteEnvironment,
  created_at: Instant,
  removed_at: Nullable(Instant),
  revision: Type.Integer({ minimum: 1 }),
  /** null: its pushes are taken. Absent: whoever told this knows nothing of quarantines, and what was told of it before stands. */
  quarantine: Type.Optional(Nullable(SiteQuarantine)),
});
export type SiteChanged = Type.Static<typeof SiteChanged>;

export const siteChanged = defineEvent({
  type: 'gateway.site-changed',
  version: 1,
  schema: SiteChanged,
  queues: [QUEUES.ingestSites, QUEUES.reportingIdentity, QUEUES.notifierIdentity],
});
