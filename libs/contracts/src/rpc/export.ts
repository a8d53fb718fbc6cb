import Type from 'typebox';
import { type ERASING_SERVICES, type ErasingService } from '../events/data-erased.v1.js';
import { InternalId, Nullable, Uuid } from '../primitives.js';
import { defineRpc } from '../rpc-definition.js';
import { Scope } from './paging.js';

/** Whose data: of the organizations in `scope`, or, when there is one, of the person. */
export const ExportInput = Type.Object({
  scope: Scope,
  person: Nullable(Type.Object({ user_id: InternalId, user_uuid: Uuid, email: Type.String() })),
  /** `next` of the answer before; null: from the beginning. */
  after: Nullable(Type.String()),
});
export type ExportInput = Type.Static<typeof ExportInput>;

export const ExportOutput = Type.Object({
  rows: Type.Array(Type.Object({ table: Type.String(), row: Type.Record(Type.String(), Type.Unknown()) })),
  /** null: that was all. */
  next: Nullable(Type.String()),
});
export type ExportOutput = Type.Static<typeof ExportOutput>;

const exportOf = <Service extends ErasingService>(service: Service) =>
  defineRpc({ method: `${service}.export-data`, service, input: ExportInput, output: ExportOutput });

/** What each service holds of an organization or a person, as it is stored, some rows at a time. */
export const exportData = {
  ingest: exportOf('ingest'),
  catalog: exportOf('catalog'),
  reporting: exportOf('reporting'),
  notifier: exportOf('notifier'),
} as const satisfies Record<(typeof ERASING_SERVICES)[number], unknown>;
