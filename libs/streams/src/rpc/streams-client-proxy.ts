import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { RpcCaller, type RpcCallerOptions } from './rpc-caller.js';
import { RpcCancelledError } from './rpc-errors.js';

/**
 * The same questions through Nest's ClientProxy: `proxy.send('<service>.<question>', input)`. Unsubscribing cancels. Prefer RpcClient, which knows
 * the contracts. `emit` is refused: it starts by itself and its failure is silent (seen in 12.1.1); publish through the outbox.
 */
export class StreamsClientProxy extends ClientProxy {
  private readonly caller: RpcCaller;

  constructor(options: RpcCallerOptions) {
    super();
    this.caller = new RpcCaller(options);
  }

  connect(): Promise<void> {
    return this.caller.start();
  }

  close(): Promise<void> {
    return this.caller.stop();
  }

  unwrap<T>(): T {
    return this.caller as T;
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const method = this.normalizePattern(packet.pattern as string);
    const abort = new AbortController();
    this.caller.call(method.split('.')[0]!, method, packet.data, { signal: abort.signal }).then(
      (response) => callback({ response, isDisposed: true }),
      (err: unknown) => {
        if (!(abort.signal.aborted && err instanceof RpcCancelledError)) callback({ err });
      },
    );
    return () => abort.abort();
  }

  protected dispatchEvent(): Promise<never> {
    return Promise.reject(new Error('Events do not go through RPC: write them to the outbox.'));
  }
}
