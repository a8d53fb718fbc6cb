import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, InternalId, ModuleName, Nullable, Uuid } from '../../primitives.js';
import { QUEUES } from '../../queues.js';
import { ReleaseHistoryDocument } from './module-releases-changed.v1.js';

/**
 * The releases of a module that an organization declared as its own, whole. A greater `revision` (of this organization and module) wins.
 * Tenant data: it speaks of this organization's sites only, and only while Drupal.org is not known to have a project of that name
 * (`history` null otherwise, and after a removal).
 */
export const CustomReleasesChanged = Type.Object({
  organization_id: InternalId,
  organization_uuid: Uuid,
  module: ModuleName,
  revision: Type.Integer({ minimum: 1 }),
  known_at: Instant,
  history: Nullable(ReleaseHistoryDocument),
});
export type CustomReleasesChanged = Type.Static<typeof CustomReleasesChanged>;

export const customReleasesChanged = defineEvent({
  type: 'catalog.custom-releases-changed',
  version: 1,
  schema: CustomReleasesChanged,
  queues: [QUEUES.reportingCatalog],
});
