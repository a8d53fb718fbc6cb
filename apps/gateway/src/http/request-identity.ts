import type { IncomingMessage } from 'node:http';
import { isAcceptableCorrelationId, newId } from '#libs/runtime';

/** The id of a request: the caller's `X-Request-Id` when it may travel through logs and headers as it is, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && isAcceptableCorrelationId(given) ? given : newId();
}

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** W3C trace context of the caller, if it is one. */
export function traceparentOf(headers: IncomingMessage['headers']): string | null {
  const given = headers.traceparent;
  return typeof given === 'string' && TRACEPARENT.test(given) ? given : null;
}
