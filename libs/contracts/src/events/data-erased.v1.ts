import Type from 'typebox';
import { defineEvent } from '../event-definition.js';
import { Uuid } from '../primitives.js';
import { QUEUES } from '../queues.js';

/** What a service erased in one round. Counts are rows by table; tables without any are left out. */
export const DataErased = Type.Object({
  erasure_id: Uuid,
  round: Type.Integer({ minimum: 1 }),
  counts: Type.Record(Type.String(), Type.Integer({ minimum: 0 })),
  /** There was more than one transaction should take: the next round may come at once. */
  more: Type.Boolean(),
});
export type DataErased = Type.Static<typeof DataErased>;

const answerOf = <Service extends string>(service: Service) =>
  defineEvent({ type: `${service}.data-erased`, version: 1, schema: DataErased, queues: [QUEUES.gatewayErasures] });

/** The answer of each service that holds data of tenants or people, besides the gateway itself. */
export const dataErased = {
  ingest: answerOf('ingest'),
  catalog: answerOf('catalog'),
  reporting: answerOf('reporting'),
  notifier: answerOf('notifier'),
} as const;
export type ErasingService = keyof typeof dataErased;
export const ERASING_SERVICES = Object.keys(dataErased) as ErasingService[];
