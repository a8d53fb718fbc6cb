/**
 * The little that the stand-in must know of version numbers to put releases into Drupal.org's order. Deliberately not
 * `libs/drupal`: what judges the documents must not also have written them.
 */
export interface ReleaseName {
  readonly version: string;
  /** `8.x-1.` or `2.0.` or `7.x-3.`: the version's branch as `supported_branches` writes it. */
  readonly branch: string;
  /** Drupal 7 release: listed in another document. */
  readonly drupal7: boolean;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `beta3`, `dev`; none for a stable release. */
  readonly extra: string | null;
}

const PATTERN = /^(?:(\d+)\.x-)?(\d+)\.(?:(\d+)\.)?(\d+|x)(?:-(.+))?$/;

/** @returns null for what is no release name (`dev-main`, `master`) */
export function readReleaseName(project: string, version: string): ReleaseName | null {
  const match = PATTERN.exec(version);
  if (!match) return null;
  const [, api, major = '0', middle, last = '0', extra] = match;
  const core = project === 'drupal';
  // Core counted two parts up to Drupal 7: 7.58 is patch 58 of branch 7.
  const twoPart = middle === undefined;
  const branch = `${api ? `${api}.x-` : ''}${major}.${twoPart ? '' : `${middle}.`}`;
  return {
    version,
    branch,
    drupal7: core ? Number(major) < 8 : api !== undefined && Number(api) < 8,
    major: Number(major),
    // 8.x-1.4 is 1.4.0 to Composer.
    minor: twoPart ? (last === 'x' ? Infinity : Number(last)) : Number(middle),
    patch: twoPart ? 0 : last === 'x' ? Infinity : Number(last),
    extra: extra ?? null,
  };
}

const STAGE = ['dev', 'unstable', 'alpha', 'beta', 'rc'];

/** Newest version first, over all branches; pre-releases below their final. */
export function newestFirst(a: ReleaseName, b: ReleaseName): number {
  return (
    b.major - a.major ||
    Number(/^\d+\.x-/.test(a.version)) - Number(/^\d+\.x-/.test(b.version)) ||
    compare(b.minor, a.minor) ||
    compare(b.patch, a.patch) ||
    compareExtra(b.extra, a.extra)
  );
}

const compare = (a: number, b: number) => (a === b ? 0 : a < b ? -1 : 1);

function compareExtra(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const [, stageA = '', numberA] = /^([a-z]+)(\d*)/.exec(a) ?? [];
  const [, stageB = '', numberB] = /^([a-z]+)(\d*)/.exec(b) ?? [];
  return compare(STAGE.indexOf(stageA), STAGE.indexOf(stageB)) || compare(Number(numberA), Number(numberB));
}
