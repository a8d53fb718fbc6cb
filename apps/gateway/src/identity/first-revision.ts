import { randomInt } from 'node:crypto';

/** Leaves room for more changes than anybody makes, within the nine digits of a tag. */
const LATEST_START = 900_000_000;

/**
 * Where the revisions of a membership begin: anywhere. The row goes when its person leaves; when she comes back, no tag of her former membership shall
 * be taken for one of the new.
 */
export function firstRevision(): number {
  return randomInt(1, LATEST_START);
}
