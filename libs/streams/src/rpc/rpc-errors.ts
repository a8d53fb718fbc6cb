/** A question that was refused or that failed, with a stable code and the HTTP status that fits it. Handlers throw it; callers get the same. */
export class RpcError extends Error {
  constructor(
    /** Stable: `not_found`, `invalid_input`, `internal`, … */
    readonly code: string,
    message: string,
    readonly status: number,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer came by the deadline. */
export class RpcTimeoutError extends RpcError {
  constructor(message: string) {
    super('timeout', message, 504);
  }
}

/** The service, or the Redis in between, is away; asking again later may help. */
export class RpcUnavailableError extends RpcError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('unavailable', message, 503, options);
  }
}

/** The caller gave the question up. */
export class RpcCancelledError extends RpcError {
  constructor(message: string) {
    super('cancelled', message, 499);
  }
}

/** An error as it crosses the wire. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

/**
 * What a caller may know of a failure: a coded error as it is; anything else `internal`, without a word of what happened inside (the server's log
 * has it, under the same correlation id).
 */
export function toWireError(error: unknown): WireError {
  if (error instanceof RpcError) return { code: error.code, message: error.message, status: error.status };
  if (error instanceof Error) {
    const { code, status } = error as { code?: unknown; status?: unknown };
    if (typeof code === 'string' && typeof status === 'number') return { code, message: error.message, status };
  }
  return { code: 'internal', message: 'The service could not answer.', status: 500 };
}

/** The error of the same class and code on the caller's side. */
export function fromWireError({ code, message, status }: WireError): RpcError {
  if (code === 'timeout') return new RpcTimeoutError(message);
  if (code === 'unavailable') return new RpcUnavailableError(message);
  if (code === 'cancelled') return new RpcCancelledError(message);
  return new RpcError(code, message, status);
}
