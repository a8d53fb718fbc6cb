import type { RpcDefinition, RpcInput, RpcOutput } from '#libs/contracts';
import { RpcCaller, type RpcCallerOptions, type RpcCallOptions } from './rpc-caller.js';
import { assertOutput } from './streams-rpc-server.js';
import { UNCHANGED, type AskedAgain } from './tagged-answer.js';

export interface RpcClientOptions extends RpcCallerOptions {
  /** Checks every answer against its contract. For tests: in production the server is trusted. */
  readonly checkOutputs?: boolean;
}

/** Typed questions to other services. One for a process; `start` before the first call, `stop` at the end. */
export class RpcClient {
  private readonly caller: RpcCaller;

  constructor(private readonly options: RpcClientOptions) {
    this.caller = new RpcCaller(options);
  }

  start(): Promise<void> {
    return this.caller.start();
  }

  stop(): Promise<void> {
    return this.caller.stop();
  }

  get isReady(): boolean {
    return this.caller.isReady;
  }

  /** How many calls wait for their answer now. */
  get pending(): number {
    return this.caller.pending;
  }

  /** Stays the same until what was asked so far leaves: whoever finds it unchanged may share a question that was asked since. */
  get departure(): object {
    return this.caller.departure;
  }

  /**
   * Asks and waits for the answer, by the deadline at most (`deadlineMs`, default 5,000).
   * @throws RpcError with the server's code and status; RpcTimeoutError; RpcUnavailableError; RpcCancelledError.
   */
  async call<D extends RpcDefinition>(
    definition: D,
    input: RpcInput<D>,
    options?: RpcCallOptions,
  ): Promise<RpcOutput<D>> {
    const output = await this.caller.call(definition.service, definition.method, input, options);
    if (this.options.checkOutputs) assertOutput(definition, output);
    return output as RpcOutput<D>;
  }

  /**
   * As `call`, for an answer that is kept: its tag goes along, and the server may say that nothing has changed.
   * @param known tag under which exactly this input was answered before; null: never
   */
  async callAgain<D extends RpcDefinition>(
    definition: D,
    input: RpcInput<D>,
    known: string | null,
    options?: RpcCallOptions,
  ): Promise<AskedAgain<RpcOutput<D>>> {
    const { service, method } = definition;
    const { value, tag, at, size } = await this.caller.callAgain(service, method, input, known, options);
    if (this.options.checkOutputs && value !== UNCHANGED) assertOutput(definition, value);
    return { tag, at, output: value as RpcOutput<D> | typeof UNCHANGED, size };
  }
}
