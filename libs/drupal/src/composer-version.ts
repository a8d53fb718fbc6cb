/** A version as Composer orders it. */
export interface ComposerVersion {
  /** Normalised: `1.17.0.0`, `11.0.0.0-beta1`, `10.6.9999999.9999999-dev`, `dev-main`. */
  normalized: string;
  stability: Stability;
  /** A named branch (`dev-main`): it equals itself and compares with nothing. */
  branch: boolean;
  /** The numbers and words of `normalized`, in order. */
  parts: readonly (number | string)[];
}

export type Stability = 'stable' | 'RC' | 'beta' | 'alpha' | 'dev';

/**
 * Suffix of a version: `-beta1`, `.RC-2`, `dev`, with or without the separator. Source text, to be used with flag `i`.
 * Written so that there is one way only to match a run of digits: otherwise a long one takes for ever.
 */
export const SUFFIX = '[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)(\\d*(?:[.-]\\d+)*))?([.-]?dev)?';

const NUMBERED = new RegExp(`^v?(\\d{1,5})(\\.\\d+)?(\\.\\d+)?(\\.\\d+)?${SUFFIX}$`, 'i');
const DATED = new RegExp(`^v?(\\d{4}(?:[.:-]?\\d{2}){1,6}(?:[.:-]?\\d{1,3}){0,2})${SUFFIX}$`, 'i');
const BUILD = /^([^,\s+]+)\+\S+$/;
const STABILITY_FLAG = /@(?:stable|RC|beta|alpha|dev)$/i;
const DEV_BRANCH = /^([^]*?)[.-]?dev$/i;
const BRANCH_NUMBERS = /^v?(\d+)(\.(?:\d+|[xX*]))?(\.(?:\d+|[xX*]))?(\.(?:\d+|[xX*]))?$/i;

/** Versions longer than this are no versions; the bound keeps hostile strings cheap. */
const MAX_VERSION_LENGTH = 255;

/**
 * Reads a version the way Composer does: missing numbers are 0, `x` is 9999999, suffixes become `-alpha|beta|RC|patch`.
 * @returns null for what Composer refuses.
 */
export function normalizeVersion(text: string): ComposerVersion | null {
  if (text.length > MAX_VERSION_LENGTH) return null;
  let version = text.trim();
  const alias = /^([^,\s]+) +as +([^,\s]+)$/.exec(version);
  if (alias) version = alias[1] as string;
  version = version.replace(STABILITY_FLAG, '');
  if (version === 'master' || version === 'trunk' || version === 'default') return namedBranch(version);
  if (version.slice(0, 4).toLowerCase() === 'dev-') return namedBranch(version.slice(4));
  version = BUILD.exec(version)?.[1] ?? version;

  const numbered = NUMBERED.exec(version);
  if (numbered) {
    const numbers = [numbered[1], ...[2, 3, 4].map((group) => numbered[group]?.slice(1) ?? '0')];
    return withSuffix(numbers.join('.'), numbered[5], numbered[6], numbered[7]);
  }
  const dated = DATED.exec(version);
  if (dated) return withSuffix((dated[1] as string).replace(/\D/g, '.'), dated[2], dated[3], dated[4]);
  const dev = DEV_BRANCH.exec(version);
  return dev ? numberedBranch(dev[1] as string) : null;
}

/**
 * The Composer version of a Drupal version: `8.x-1.17` → 1.17.0, `10.3.1`, `8.x-2.0-rc1` → 2.0.0-RC1, `8.x-1.x-dev`.
 * `7.x-` versions are read by what stands behind the prefix as well; whoever compares must keep the two apart.
 * @returns null for what is no version, such as `master`.
 */
export function composerVersion(version: string): ComposerVersion | null {
  const prefixed = /^\d+\.x-(?=\d)([^]*)$/.exec(version.trim());
  // Drupal's `unstable` comes before its alphas, where Composer has `dev`-like alphas only.
  const plain = (prefixed ? (prefixed[1] as string) : version).replace(/-unstable(\d*)$/, '-alpha$1');
  const normalized = normalizeVersion(plain);
  return normalized && !normalized.branch ? normalized : null;
}

/** Negative, 0 or positive, as Composer orders them: dev < alpha < beta < RC < release < patch. */
export function compareComposer(a: ComposerVersion, b: ComposerVersion): number {
  const length = Math.max(a.parts.length, b.parts.length);
  for (let index = 0; index < length; index += 1) {
    const difference = compareParts(a.parts[index], b.parts[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** How stable a version says it is, as Composer reads it off the text. */
export function stabilityOf(version: string): Stability {
  const text = version.slice(0, MAX_VERSION_LENGTH).replace(/#.+$/, '');
  if (text.startsWith('dev-') || text.endsWith('-dev')) return 'dev';
  const match = STABILITY_AT_END.exec(text);
  if (match?.[3]) return 'dev';
  return stabilityName(match?.[1]);
}

const STABILITY_AT_END = new RegExp(`${SUFFIX}(?:\\+.*)?$`, 'i');

function stabilityName(word: string | undefined): Stability {
  switch (word?.toLowerCase()) {
    case 'alpha':
    case 'a':
      return 'alpha';
    case 'beta':
    case 'b':
      return 'beta';
    case 'rc':
      return 'RC';
    default:
      return 'stable';
  }
}

function withSuffix(numbers: string, word?: string, count?: string, dev?: string): ComposerVersion {
  if (word === 'stable') return composed(numbers, 'stable');
  let normalized = numbers;
  const known = word?.toLowerCase();
  if (known && known !== 'stable') {
    const name = known === 'pl' || known === 'p' ? 'patch' : known === 'patch' ? 'patch' : stabilityName(known);
    normalized += `-${name}${(count ?? '').replace(/^[.-]+/, '')}`;
  }
  if (dev) normalized += '-dev';
  return composed(normalized, dev ? 'dev' : stabilityName(known));
}

function numberedBranch(name: string): ComposerVersion | null {
  const match = BRANCH_NUMBERS.exec(name.trim());
  // A branch that is no number must say `dev-` in front.
  if (!match) return null;
  const numbers = [1, 2, 3, 4].map((group) => {
    const number = match[group]?.replace(/^\./, '') ?? 'x';
    return /^[xX*]$/.test(number) ? '9999999' : number;
  });
  return composed(`${numbers.join('.')}-dev`, 'dev');
}

function namedBranch(name: string): ComposerVersion {
  return { normalized: `dev-${name}`, stability: 'dev', branch: true, parts: [] };
}

/** Takes a version apart that is normalised already, such as the bound of a range. */
export function composed(normalized: string, stability: Stability): ComposerVersion {
  const parts = (normalized.match(/\d+|[a-z]+/gi) ?? []).map((part) => (/^\d/.test(part) ? Number(part) : part));
  return { normalized, stability, branch: false, parts };
}

/** Where a number stands among the words: after RC, before patch. */
const NUMBER_RANK = 5;

function wordRank(word: string): number {
  if (word.startsWith('dev')) return 1;
  if (word.startsWith('a')) return 2;
  if (word.startsWith('b')) return 3;
  if (word.startsWith('RC')) return 4;
  return word.startsWith('p') ? 6 : 0;
}

function compareParts(a: number | string | undefined, b: number | string | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  // A number against nothing: the longer version is the greater. A word against nothing: pre-releases come first.
  if (a === undefined) return typeof b === 'number' ? -1 : NUMBER_RANK - rank(b as string);
  if (b === undefined) return typeof a === 'number' ? 1 : rank(a) - NUMBER_RANK;
  return rank(a) - rank(b);
}

function rank(part: number | string): number {
  return typeof part === 'number' ? NUMBER_RANK : wordRank(part);
}
