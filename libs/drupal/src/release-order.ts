import { compareComposer, composerVersion } from './composer-version.js';

/**
 * Orders Drupal versions oldest first, for lists of versions that come from no feed. A comparator for sort.
 * What is no version comes before all that are; equal versions are ordered by their text, so that the order is total.
 */
export function compareReleaseOrder(a: string, b: string): number {
  const left = composerVersion(a);
  const right = composerVersion(b);
  const order = left && right ? compareComposer(left, right) : Number(left !== null) - Number(right !== null);
  return order !== 0 ? order : a < b ? -1 : a > b ? 1 : 0;
}
