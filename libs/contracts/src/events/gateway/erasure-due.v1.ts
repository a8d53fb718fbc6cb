import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { InternalId, Nullable, Uuid } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** Whose data. What a kind does not need is null or empty. */
export const ErasureSubject = Type.Object({
  /** `organization`: all of it; `sites`: those sites; `person`: her account and what was written to her. */
  kind: Type.Union([Type.Literal('organization'), Type.Literal('sites'), Type.Literal('person')]),
  organization_id: Nullable(InternalId),
  /** Of an organization: all its sites, removed ones too. */
  site_ids: Type.Array(InternalId),
  /** Of `sites`: messages about them name them by these. */
  site_uuids: Type.Optional(Type.Array(Uuid)),
  user_id: Nullable(InternalId),
  user_uuid: Nullable(Uuid),
  email: Nullable(Type.String({ maxLength: 254 })),
});
export type ErasureSubject = Type.Static<typeof ErasureSubject>;

/**
 * Everything a service has of the subject must go, and the service says by its `data-erased` what went. It comes in rounds until a round finds
 * nothing, because facts about the subject may still be on their way. The subject is out of use before: nobody logs in, no key opens anything.
 */
export const ErasureDue = Type.Object({
  erasure_id: Uuid,
  round: Type.Integer({ minimum: 1 }),
  subject: ErasureSubject,
});
export type ErasureDue = Type.Static<typeof ErasureDue>;

export const erasureDue = defineEvent({
  type: 'gateway.erasure-due',
  version: 1,
  schema: ErasureDue,
  queues: [QUEUES.ingestSites, QUEUES.catalogModules, QUEUES.reportingIdentity, QUEUES.notifierIdentity],
});
