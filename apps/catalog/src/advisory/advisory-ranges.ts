import type { AdvisoryChanged } from '#libs/contracts';
import { linkTargets } from './labelled-fields.js';

type Ranges = Pick<AdvisoryChanged, 'affected' | 'affected_d7'>;

/**
 * Splits what the advisory states into Drupal 8 and newer, and Drupal 7. Drupal.org has one field for both; what stands there is a
 * Composer constraint on the version without its `8.x-` or `7.x-`, so `<1.5` alone does not say which. What it really does:
 * - on both: the field holds the range for Drupal 8 and newer; Drupal 7 appears in the solution only (`…/releases/7.x-1.5`);
 * - on Drupal 7 alone: the field is empty, rarely the range of Drupal 7;
 * - core: one constraint over all majors (`>=7.0 <7.58 || >=8.0.0 <8.3.9`), since core's versions have no prefix.
 */
export function affectedRanges(module: string, stated: string | null, fixed: readonly string[]): Ranges {
  if (module === 'drupal') return { affected: stated && withoutDrupal7ByAccident(stated), affected_d7: null };
  const drupal7 = fixed.filter((version) => version.startsWith('7.x-')).map((version) => version.slice('7.x-'.length));
  const drupal7Alone = drupal7.length > 0 && drupal7.length === fixed.length;
  const beforeFix = drupal7.map(rangeBeforeFix).join(' || ') || null;
  if (drupal7Alone) return { affected: null, affected_d7: stated && stated !== '*' ? stated : beforeFix };
  // "All versions" beside a fix contradicts itself; what is affected is then not known.
  const contradiction = stated === '*' && fixed.length > 0;
  return { affected: contradiction ? null : stated, affected_d7: beforeFix };
}

/** Versions that the solution links to, in its order; links to other projects are not fixes of this one. */
export function fixedVersions(module: string, solution: string): string[] {
  const versions = linkTargets(solution).flatMap((target) => {
    const match = /^(?:https?:\/\/(?:www\.)?drupal\.org)?\/project\/([^/?#]+)\/releases\/([^/?#]+)\/?$/i.exec(target);
    return match && match[1]!.toLowerCase() === module.toLowerCase() ? [match[2]!] : [];
  });
  return [...new Set(versions)];
}

/** Of a fix `1.24` for Drupal 7: all of that branch before it. */
function rangeBeforeFix(fix: string): string {
  const [, major = '0', minor = '0', extra = ''] = /^(\d+)\.(\d+)(-.*)?$/.exec(fix) ?? [];
  return `>=${major}.0.0 <${major}.${minor}.0${extra}`;
}

/**
 * Core's `<10.5.12 || …` without a lower bound means "all of Drupal 8 and newer before": an advisory that concerns Drupal 7 says so by
 * naming a version of it.
 */
function withoutDrupal7ByAccident(stated: string): string {
  return stated
    .split('||')
    .map((part) => part.trim())
    .map((part) => (/^<=?\s*(\d+)/.test(part) && Number(/\d+/.exec(part)![0]) >= 8 ? `>=8.0.0 ${part}` : part))
    .join(' || ');
}
