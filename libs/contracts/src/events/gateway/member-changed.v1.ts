import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { InternalId, Uuid } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/** A person and the organizations whose mail she may get. Superusers belong to every organization. */
export const MemberChanged = Type.Object({
  user_id: InternalId,
  user_uuid: Uuid,
  email: Type.String(),
  name: Type.String(),
  superuser: Type.Boolean(),
  active: Type.Boolean(),
  organization_ids: Type.Array(InternalId),
  revision: Type.Integer({ minimum: 1 }),
});
export type MemberChanged = Type.Static<typeof MemberChanged>;

export const memberChanged = defineEvent({
  type: 'gateway.member-changed',
  version: 1,
  schema: MemberChanged,
  queues: [QUEUES.notifierIdentity],
});
