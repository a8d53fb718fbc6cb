import { AsyncLocalStorage } from 'node:async_hooks';

/** A message that is being handled: what it causes can name it. */
export interface Cause {
  readonly id: string;
  readonly key: string;
  readonly organizationId: number | null;
  readonly correlationId: string;
  /** W3C trace context under which its handling runs. */
  readonly traceparent: string | null;
}

/** What everything that runs now belongs to. */
interface Thread {
  readonly correlationId?: string | undefined;
  readonly traceparent?: string | null;
  readonly causes?: readonly Cause[];
}

const thread = new AsyncLocalStorage<Thread>();
const NO_CAUSES: readonly Cause[] = [];

/** The id that ties together everything one request or message causes; undefined outside of any. */
export function currentCorrelationId(): string | undefined {
  return thread.getStore()?.correlationId;
}

/** W3C trace context of what runs now; null outside of any. */
export function currentTraceparent(): string | null {
  return thread.getStore()?.traceparent ?? null;
}

/** The messages of the batch that is being handled; empty outside of one. */
export function currentCauses(): readonly Cause[] {
  return thread.getStore()?.causes ?? NO_CAUSES;
}

/** Runs `work`, and all that it awaits, under `id` and `traceparent`: log lines and outgoing messages carry them. */
export function withCorrelation<T>(id: string, work: () => T, traceparent: string | null = null): T {
  return thread.run({ correlationId: id, traceparent }, work);
}

/** Runs the handling of `causes` as one; a message alone gives its ids to everything, of several each event must find its own. */
export function withCauses<T>(causes: readonly Cause[], work: () => T): T {
  const [only, ...others] = causes;
  if (only === undefined || others.length > 0) return thread.run({ causes }, work);
  return thread.run({ correlationId: only.correlationId, traceparent: only.traceparent, causes }, work);
}

const ACCEPTABLE = /^[A-Za-z0-9._:-]{8,128}$/;

/** True for an id from outside that may travel through logs and headers as it is. Others are replaced by a new one. */
export function isAcceptableCorrelationId(id: string): boolean {
  return ACCEPTABLE.test(id);
}
