import type { DrupalMark, RangeVerdict } from '#libs/contracts';

/** What the two sources of exposures say of a version. */
export interface Sources {
  readonly drupal_mark: DrupalMark | null;
  readonly advisory_range: RangeVerdict | null;
  readonly sources_differ: boolean;
}

/** SQL for what the ranges of all published advisories on its module say of the row `alias` of `version_statuses`; null: there are none. */
export const rangeSql = (alias: string): string =>
  `CASE WHEN EXISTS (SELECT FROM vulnerable_versions x
                     WHERE x.version_id = ${alias}.version_id AND x.cause_id > 0 AND x.verdict = 'affected') THEN 'affected'
        WHEN EXISTS (SELECT FROM vulnerable_versions x
                     WHERE x.version_id = ${alias}.version_id AND x.cause_id > 0 AND x.verdict = 'unknown') THEN 'unknown'
        WHEN EXISTS (SELECT FROM advisories y WHERE y.module_id = ${alias}.module_id AND y.state = 'published') THEN 'unaffected' END`;

/**
 * Puts the two beside each other. They differ when one calls the version unsafe and the other does not; who cannot say contradicts nobody.
 * @param covered what all advisories on the module say, where `range` is one advisory's word alone
 */
export function sourcesOf(
  mark: DrupalMark | null,
  range: RangeVerdict | null,
  covered: RangeVerdict | null = range,
): Sources {
  const markAlone = mark === 'insecure' && (covered === null || covered === 'unaffected');
  const rangeAlone = mark === 'not_insecure' && range === 'affected';
  return { drupal_mark: mark, advisory_range: range, sources_differ: markAlone || rangeAlone };
}
