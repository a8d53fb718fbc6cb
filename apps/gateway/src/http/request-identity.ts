import type { IncomingMessage } from 'node:http';
import { beginTrace, isAcceptableCorrelationId, newId, readTraceparent } from '#libs/runtime';

/** The id of a request: the caller's `X-Request-Id` when it may travel through logs and headers as it is, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && isAcceptableCorrelationId(given) ? given : newId();
}

/** W3C trace context of the caller, if it is one. */
export function traceparentOf(headers: IncomingMessage['headers']): string | null {
  return headers.traceparent === undefined ? null : readTraceparent(headers.traceparent);
}

/** The caller's, or a new one. */
export function traceOf(headers: IncomingMessage['headers']): string {
  return traceparentOf(headers) ?? beginTrace(newId());
}
