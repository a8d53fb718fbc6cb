import type { CoreCode } from '#libs/drupal';
import type { ConformanceCase } from './case-files.js';

/** Request time of the cases that name none, Unix seconds. */
const DEFAULT_NOW = 1_700_000_000;

/** When the case's site asked. */
export function requestTime({ now }: ConformanceCase): number {
  return typeof now === 'number' ? now : DEFAULT_NOW;
}

/** Whose table of fixed coverage dates the case was computed with: core 11's, unless it names another. */
export function coreCode({ core_code: named }: ConformanceCase): CoreCode {
  return typeof named === 'string' && named.startsWith('10.') ? '10.6.x' : '11.x';
}
