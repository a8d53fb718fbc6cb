import Type from 'typebox';
import { defineEvent } from '../../event-definition.js';
import { Instant, InternalId, Nullable, Uuid } from '../../primitives.js';
import { QUEUES } from '../../queues.js';

/**
 * A push that the gateway has accepted. Unlike every other event its facts travel in the envelope's `meta`, and the body
 * is the site's request body, byte for byte and compressed as it came (`content_encoding` of the envelope), so that
 * accepting costs no re-encoding and the audit log keeps what was really sent.
 */
export const PushReceivedMeta = Type.Object({
  push_id: Uuid,
  site_id: InternalId,
  site_uuid: Uuid,
  organization_id: InternalId,
  /** `heartbeat` carries the inventory's hash alone. */
  kind: Type.Union([Type.Literal('full'), Type.Literal('heartbeat')]),
  /** null: the push named none and belongs to the site's current epoch, or to epoch 1 if it has none. */
  epoch: Nullable(Type.Integer({ minimum: 0 })),
  sequence: Type.Integer({ minimum: 0 }),
  complete: Type.Boolean(),
  collected_at: Instant,
  received_at: Instant,
  inventory_hash: Nullable(Type.String()),
});
export type PushReceivedMeta = Type.Static<typeof PushReceivedMeta>;

export const pushReceived = defineEvent({
  type: 'gateway.push-received',
  version: 1,
  schema: PushReceivedMeta,
  queues: [QUEUES.ingestPushes],
  factsIn: 'meta',
});
