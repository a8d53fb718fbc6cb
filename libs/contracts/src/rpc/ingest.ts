import Type from 'typebox';
import { Instant, InternalId, Nullable, Uuid } from '../primitives.js';
import { defineRpc } from '../rpc-definition.js';

/** Where a push stands. `null`: ingest has no receipt of it (yet). */
export const pushReceipt = defineRpc({
  method: 'ingest.push-receipt',
  service: 'ingest',
  input: Type.Object({ site_id: InternalId, push_id: Uuid }),
  output: Nullable(
    Type.Object({
      push_id: Uuid,
      state: Type.Union([
        Type.Literal('applied'),
        Type.Literal('superseded'),
        Type.Literal('duplicate'),
        Type.Literal('dead'),
      ]),
      /** Stable code: `changed`, `unchanged`, `older_than_current`, `already_applied`, `unknown_inventory_hash`, `invalid_inventory`, … */
      reason: Type.String(),
      /** The same for people. */
      detail: Type.String(),
      epoch: Nullable(Type.Integer()),
      sequence: Type.Integer(),
      received_at: Instant,
      settled_at: Instant,
      /** Modules added, updated, removed by this push. */
      changes: Type.Integer(),
    }),
  ),
});
