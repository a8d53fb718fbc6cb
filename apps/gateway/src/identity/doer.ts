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

/** Who did it, and by which request, as the audit log names it. */
export interface DoneBy {
  readonly actor: string;
  readonly address: string;
  readonly requestId: string;
}

export function doneBy({ person, address, requestId }: Doer<Actor>): DoneBy {
  return { actor: actorName(person), address, requestId };
}

/** The part of an audit line that says who did what, to what, of whom. */
export function lineOf(
  doer: Doer<Actor>,
  action: string,
  subject: string,
  organizationId: number | null,
): DoneBy & { action: string; subject: string; organizationId: number | null } {
  return { action, ...doneBy(doer), subject, organizationId };
}

/** What of a request tells who does it. */
export function doerOf<Who extends Actor>(
  person: Who,
  request: { readonly id: string; readonly ip: string; readonly headers: { readonly 'if-match'?: string | undefined } },
): Doer<Who> {
  return { person, requestId: request.id, address: request.ip, ifMatch: request.headers['if-match'] };
}
