/** A question with what its handler may want to know. */
export interface Question {
  readonly method: string;
  readonly data: unknown;
  readonly correlationId: string | null;
  /** W3C trace context of the caller. */
  readonly traceparent: string | null;
  /** Tag of the answer that the caller has; null: none; undefined: it keeps no answer, so tag none. */
  readonly known: string | null | undefined;
  /** Aborts at the deadline, when the caller gives up, and when the server stops impatiently. */
  readonly signal: AbortSignal;
  /** Milliseconds left until nobody waits for the answer. */
  remainingMs(): number;
}

/** Metric hooks; must not throw. */
export interface RpcServerObserver {
  /** `outcome`: `ok` or the error's code. */
  answered?(method: string, outcome: string, seconds: number): void;
  /** Dropped unanswered: its deadline was over, or its caller had given up, before its turn came. */
  dropped?(method: string, why: 'expired' | 'cancelled'): void;
}
