import { ProblemError } from './problem.js';

/**
 * Holds `If-Match` against a resource that is about to be changed; call it with the row locked. A tag of ours begins with the revision of what
 * people can change (`"r7.…"`); the rest covers what changes by itself, pushes for instance, and does not matter here. `*`: whatever is there.
 * @throws ProblemError `precondition_failed`
 */
export function mustMatch(ifMatch: string | undefined, revision: number): void {
  if (ifMatch === undefined) return;
  const candidates = ifMatch.split(',').map((candidate) => candidate.trim());
  if (candidates.some((candidate) => candidate === '*' || revisionOf(candidate) === revision)) return;
  throw new ProblemError(
    'precondition_failed',
    'It has been changed since you read it. Read it again, and repeat the change with the ETag of that answer.',
    { headers: { etag: revisionTag(revision) } },
  );
}

/** The tag of a revision. @param rest what else the tag covers */
export function revisionTag(revision: number, rest?: string): string {
  return rest === undefined ? `"r${revision}"` : `"r${revision}.${rest.slice(1, -1)}"`;
}

/** null: no tag of ours, or a weak one, which matches nothing here (RFC 9110 §13.1.1). */
function revisionOf(tag: string): number | null {
  const match = /^"r(\d{1,9})(\.[\w-]*)?"$/.exec(tag);
  return match === null ? null : Number(match[1]);
}
