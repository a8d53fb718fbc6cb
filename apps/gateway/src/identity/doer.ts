import { actorName } from './principal.js';
import type { Actor, UserPrincipal } from './principal.js';

/** Who does it, and by which request. */
export interface Doer<Who extends Actor = UserPrincipal> {
  readonly person: Who;
  readonly requestId: string;
  readonly address: string;
  /** `If-Match` of the request. */
  readonly ifMatch?: string | undefined;
}

/** The part of an audit line that says who did what, to what, of whom. */
export function lineOf(
  doer: Doer<Actor>,
  action: string,
  subject: string,
  organizationId: number | null,
): {
  action: string;
  actor: string;
  subject: string;
  organizationId: number | null;
  address: string;
  requestId: string;
} {
  return {
    action,
    actor: actorName(doer.person),
    subject,
    organizationId,
    address: doer.address,
    requestId: doer.requestId,
  };
}

/** What of a request tells who does it. */
export function doerOf<Who extends Actor>(
  person: Who,
  request: { readonly id: string; readonly ip: string; readonly headers: { readonly 'if-match'?: string | undefined } },
): Doer<Who> {
  return { person, requestId: request.id, address: request.ip, ifMatch: request.headers['if-match'] };
}
