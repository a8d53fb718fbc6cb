import type { Static, TSchema } from 'typebox';
import type { ServiceName } from './queues.js';

/** A question that one service answers for another while a person waits. Reads only. */
export interface RpcDefinition<I extends TSchema = TSchema, O extends TSchema = TSchema> {
  /** `<service>.<question>`. */
  readonly method: string;
  readonly service: ServiceName;
  readonly input: I;
  readonly output: O;
}

export type RpcInput<D extends RpcDefinition> = Static<D['input']>;
export type RpcOutput<D extends RpcDefinition> = Static<D['output']>;

export function defineRpc<I extends TSchema, O extends TSchema>(definition: RpcDefinition<I, O>): RpcDefinition<I, O> {
  return definition;
}
