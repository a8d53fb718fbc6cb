import { compareComposer, composerVersion } from './composer-version.js';

/**
 * Orders Drupal versions oldest first, for lists of versions that come from no feed. A comparator for sort.
 * What is no version comes before all that are, then what is for Drupal 7 and older, whatever its number;
 * equal versions are ordered by their text, so that the order is total.
 */
export function compareReleaseOrder(a: string, b: string): number {
  const left = composerVersion(a);
  const right = composerVersion(b);
  const order =
    left && right
      ? generation(a) - generation(b) || compareComposer(left, right)
      : Number(left !== null) - Number(right !== null);
  return order !== 0 ? order : a < b ? -1 : a > b ? 1 : 0;
}

/** 5 to 7 for what is for that Drupal alone; from Drupal 8 on a version does not say so. */
function generation(version: string): number {
  return Number(/^([5-7])\.x-/.exec(version)?.[1] ?? 8);
}
