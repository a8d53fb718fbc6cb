import { ProblemError } from '../http/problem.js';
import type { Actor } from '../identity/principal.js';

export interface ChosenOrganization {
  readonly id: number;
  readonly uuid: string;
}

/**
 * The organization that a person means.
 * @param uuid as asked; undefined: the only one she belongs to
 * @param visible the organizations that she may see
 * @throws ProblemError `validation_failed` when it is none of hers, or is needed
 */
export function chosenOrganization(
  uuid: string | undefined,
  person: Actor,
  visible: readonly ChosenOrganization[],
): ChosenOrganization {
  if (uuid !== undefined) {
    const found = visible.find((organization) => organization.uuid === uuid.toLowerCase());
    if (found) return { id: found.id, uuid: found.uuid };
    throw wrongOrganization('wrong_value', 'must be an organization of yours');
  }
  const [own, ...others] = person.memberships;
  if (own === undefined || others.length > 0)
    throw wrongOrganization('required', 'is needed: you belong to several, or to none');
  return { id: own.organizationId, uuid: own.organizationUuid };
}

function wrongOrganization(code: 'required' | 'wrong_value', detail: string): ProblemError {
  return new ProblemError('validation_failed', 'Say whose module it is.', {
    errors: [{ pointer: '/organization', code, detail }],
  });
}
