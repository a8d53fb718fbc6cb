import type { AuditLog } from '../audit/audit-log.service.js';
import { actorName } from '../identity/principal.js';
import type { Principal } from '../identity/principal.js';
import type { AuthenticatedRequest } from '../login/asker.decorator.js';
import { networkOf } from '../login/network.js';
import { REFRESH_COOKIE } from '../session/session-cookie.js';
import type { ProblemError } from './problem.js';

const READS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Notes in the audit log what a route of Nest refused, for all routes in one place: credentials that are not good (401), what somebody may not
 * do (403), and writes to what does not exist for her (404). What a feature has noted by itself, with words of its own, is not noted twice.
 */
export function noteRefusal(problem: ProblemError, request: AuthenticatedRequest, audit: AuditLog): void {
  const { principal } = request;
  if (problem.noted || !isRefusal(problem.status, request)) return;
  const route = `${request.method} ${request.routeOptions.url ?? 'none'}`;
  audit.refused({
    action: 'request.refused',
    reason: problem.code,
    actor: principal === undefined ? 'anonymous' : actorName(principal),
    // Kinds of refusal are told apart by what strangers cannot choose, and by routes, which are few.
    subject: principal === undefined ? `network:${networkOf(request.ip)}` : `route:${route}`,
    organizationId: principal === undefined ? null : organizationOf(principal),
    address: request.ip,
    requestId: request.id,
    detail: { route, path: request.url.split('?', 1)[0]!.slice(0, 300) },
  });
}

function isRefusal(status: number, request: AuthenticatedRequest): boolean {
  if (status === 403) return true;
  if (status === 404) return request.principal !== undefined && !READS.includes(request.method);
  if (status !== 401) return false;
  const { authorization, cookie } = request.headers;
  return authorization !== undefined || request.headers['x-api-key'] !== undefined || isOurs(cookie);
}

function isOurs(cookie: string | undefined): boolean {
  return cookie?.includes(REFRESH_COOKIE) === true;
}

/** Whose administrators shall see it: of people with several organizations nobody knows for which of them they asked. */
function organizationOf(principal: Principal): number | null {
  if ('organizationId' in principal) return principal.organizationId;
  return principal.memberships.length === 1 ? principal.memberships[0]!.organizationId : null;
}
