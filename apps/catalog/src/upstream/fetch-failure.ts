/** Why a document could not be had or was not taken. Codes are stable; they are kept with the sync state and counted. */
export type FetchFailureCode =
  | 'timeout'
  | 'network'
  | 'address_refused'
  | 'redirect_refused'
  | 'http_status'
  | 'rate_limited'
  | 'too_large'
  | 'wrong_content_type'
  | 'cut_short'
  | 'host_paused';

/** A request that brought no usable body. */
export class FetchFailure extends Error {
  constructor(
    readonly code: FetchFailureCode,
    message: string,
    readonly details: { readonly status?: number; readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = FetchFailure.name;
  }

  /** Says something of the host as a whole, not of this one document. */
  get hostIsAiling(): boolean {
    if (['timeout', 'network', 'rate_limited', 'cut_short'].includes(this.code)) return true;
    return this.code === 'http_status' && (this.details.status ?? 0) >= 500;
  }
}
