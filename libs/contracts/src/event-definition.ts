import type { Static, TSchema } from 'typebox';
import type { QueueDefinition } from './queues.js';

/** One type of message: who owns it, its version, the shape of its JSON body, and the queues that get a copy. */
export interface EventDefinition<S extends TSchema = TSchema> {
  /** `<owner>.<event>`, the event in the past tense: `ingest.inventory-changed`. */
  readonly type: string;
  /** Raised when the shape changes so that an old reader would misread it; both versions live until all have crossed. */
  readonly version: number;
  readonly schema: S;
  readonly queues: readonly QueueDefinition[];
  /** `meta`: `schema` describes the envelope's `meta`, and the body is opaque bytes. Default: `schema` describes the JSON body. */
  readonly factsIn?: 'body' | 'meta';
}

/** The JSON body of an event definition. */
export type EventBody<D extends EventDefinition> = Static<D['schema']>;

export function defineEvent<S extends TSchema>(definition: EventDefinition<S>): EventDefinition<S> {
  return definition;
}
