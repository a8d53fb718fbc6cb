import type { UserPrincipal } from './principal.js';

/** Who does it, and by which request. */
export interface Doer {
  readonly person: UserPrincipal;
  readonly requestId: string;
  readonly address: string;
}

/** The part of an audit line that says who did what, to what, of whom. */
export function lineOf(
  doer: Doer,
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
    actor: `user:${doer.person.uuid}`,
    subject,
    organizationId,
    address: doer.address,
    requestId: doer.requestId,
  };
}

/** What of a request tells who does it. */
export function doerOf(person: UserPrincipal, request: { readonly id: string; readonly ip: string }): Doer {
  return { person, requestId: request.id, address: request.ip };
}
