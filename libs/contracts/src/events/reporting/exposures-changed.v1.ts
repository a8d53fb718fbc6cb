import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, InternalId, ModuleName, Nullable, Risk, Uuid, VersionString } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

export const ExposureFact = Type.Object({
  exposure_id: Uuid,
  site_id: InternalId,
  site_uuid: Uuid,
  site_name: Type.String(),
  module: ModuleName,
  installed_version: Nullable(VersionString),
  /** null: Drupal.org marks the installed release insecure and no advisory in the catalog says why. */
  advisory: Nullable(Type.String()),
  advisory_title: Nullable(Type.String()),
  advisory_url: Nullable(Type.String()),
  risk: Nullable(Risk),
  fixed_in: Type.Array(VersionString),
  opened_at: Instant,
  closed_at: Nullable(Instant),
  close_reason: Nullable(
    Type.Union([
      Type.Literal('patched'),
      Type.Literal('removed'),
      Type.Literal('retracted'),
      Type.Literal('site_removed'),
    ]),
  ),
  /** When the platform recorded it; far later than `opened_at` for history that was loaded. */
  recorded_at: Instant,
});
export type ExposureFact = Type.Static<typeof ExposureFact>;

/** Exposures of one organization that one assessment opened or closed; at most 500 a message. */
export const ExposuresChanged = Type.Object({
  organization_id: InternalId,
  opened: Type.Array(ExposureFact),
  closed: Type.Array(ExposureFact),
});
export type ExposuresChanged = Type.Static<typeof ExposuresChanged>;

export const exposuresChanged = defineEvent({
  type: 'reporting.exposures-changed',
  version: 1,
  schema: ExposuresChanged,
  queues: [QUEUES.notifierExposures],
});
