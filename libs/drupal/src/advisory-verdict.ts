import { matches, parseConstraint } from './composer-constraint.js';
import { composerVersion } from './composer-version.js';

/** What an advisory says about versions. */
export interface AffectedVersions {
  /** Composer constraint over versions for Drupal 8 and newer; null: the advisory names none. */
  affected: string | null;
  /** Composer constraint over the part behind `7.x-`; null: Drupal 7 is not affected or not said. */
  affectedD7?: string | null;
  /** The whole module was given up: every version is affected. */
  unsupported?: boolean;
}

export type AdvisoryVerdict = 'affected' | 'unaffected' | 'unknown';

/**
 * Whether an installed version is in an advisory's range.
 * `unknown` where it cannot be told: no version, a dev snapshot, a version that is none, an advisory without a range.
 * A module given up as a whole affects every version, also the unknown ones.
 * @param installedVersion as Drupal.org writes it (`8.x-1.17`); null: the site's info file names none.
 */
export function advisoryVerdict(
  advisory: AffectedVersions,
  installedVersion: string | null | undefined,
): AdvisoryVerdict {
  const affected = advisory.affected?.trim() || null;
  const affectedD7 = advisory.affectedD7?.trim() || null;
  if (advisory.unsupported && (affected === '*' || (affected === null && affectedD7 === null))) return 'affected';
  if (affected === null && affectedD7 === null) return 'unknown';
  const version = installedVersion?.trim() ?? '';
  // `8.x-1.3+4-dev`: four commits after 1.3. Composer would take what follows the plus for a build number of 1.3 itself.
  if (version.includes('dev')) return 'unknown';
  const composer = composerVersion(version);
  if (!composer || composer.stability === 'dev') return 'unknown';
  const range = version.startsWith('7.x-') ? affectedD7 : affected;
  // The advisory is about the other Drupal only.
  if (range === null) return 'unaffected';
  const constraint = parseConstraint(range);
  if (!constraint) return 'unknown';
  return matches(composer, constraint) ? 'affected' : 'unaffected';
}
