/**
 * W3C trace context, version 00: `00-<trace id, 32 hex>-<parent id, 16 hex>-<flags>` (https://www.w3.org/TR/trace-context/).
 * It travels with every message whether anybody records spans or not, so that log lines of all services can be brought together.
 */
const FORM = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace context when it is one; null: none was given, or one that must not be believed. */
export function readTraceparent(header: unknown): string | null {
  return typeof header === 'string' && FORM.test(header) ? header : null;
}

/** Begins a trace at something that has a UUID: the trace has that id, without its dashes. Nothing is drawn at random; flags say that nobody records. */
export function beginTrace(uuid: string): string {
  const parent = uuid.slice(19, 23) + uuid.slice(24);
  return `00-${uuid.slice(0, 8)}${uuid.slice(9, 13)}${uuid.slice(14, 18)}${parent}-${parent}-00`;
}

/** The trace's id, for a log line. */
export function traceIdOf(traceparent: string | null | undefined): string | undefined {
  return traceparent == null ? undefined : traceparent.slice(3, 35);
}
