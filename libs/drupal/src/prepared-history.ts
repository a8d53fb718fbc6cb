import type { HistoryRelease, ReleaseHistoryDocument } from './release-history.js';
import { isNumeric, looseInteger, looseNumber } from './loose-values.js';
import { parseBranch, parseVersion, type ParsedVersion } from './version.js';

/** A release that exists for Drupal: all rules for usable releases hold and its version parses. */
export interface WalkedRelease extends ParsedVersion {
  /** Key in the release map. Matched with the installed version exactly. */
  key: string;
  version: string;
  majorNumber: number;
  /** In a supported branch and not marked unsupported. */
  supported: boolean;
  published: boolean;
  insecure: boolean;
  securityUpdate: boolean;
  /** Unix seconds, whole; null: the release has no date. */
  date: number | null;
  /** The version without its extra, by which a pre-release and its final release are told to be one. */
  base: string;
}

/** One usable release as the coverage arithmetic needs it: here an invalid version matters. */
export interface CoverageRelease {
  version: string;
  published: boolean;
  parsed: ParsedVersion | null;
}

/**
 * A document worked out once for many verdicts. Immutable. Make it with prepareHistory.
 */
export interface PreparedHistory {
  readonly prepared: true;
  readonly title: string | null;
  readonly link: string | null;
  readonly projectStatus: string | null;
  /** null: the document says nothing about branches. */
  readonly branches: readonly string[] | null;
  /** Major of the first branch that parses; null: none does. */
  readonly branchMajor: number | null;
  /** Feed order. */
  readonly walk: readonly WalkedRelease[];
  readonly usable: readonly CoverageRelease[];
  /** Every release, usable or not, in feed order. */
  readonly releases: ReadonlyMap<string, HistoryRelease>;
}

const RELEASE_TYPE = 'Release type';

const remembered = new WeakMap<ReleaseHistoryDocument, PreparedHistory>();

/**
 * What prepareHistory makes of a document, worked out once and remembered for as long as the document lives: it must not be changed after it
 * was first asked about.
 */
export function preparedOf(history: ReleaseHistoryDocument | PreparedHistory): PreparedHistory {
  if ('prepared' in history) return history;
  let prepared = remembered.get(history);
  if (!prepared) remembered.set(history, (prepared = prepareHistory(history)));
  return prepared;
}

/** Works a document out for projectStatus. Pure; the document must not be changed afterwards. */
export function prepareHistory(history: ReleaseHistoryDocument): PreparedHistory {
  const releases = new Map<string, HistoryRelease>();
  for (const release of history.releases) releases.set(release.version, release);
  const branches = history.supported_branches === undefined ? null : history.supported_branches.split(',');
  const walk: WalkedRelease[] = [];
  const usable: CoverageRelease[] = [];
  for (const [key, release] of releases) {
    if (!isUsable(release)) continue;
    const version = shownVersion(release);
    const parsed = parseVersion(version);
    usable.push({ version, published: release.status === 'published', parsed });
    if (parsed) walk.push(walkedRelease(key, version, parsed, release, branches));
  }
  const firstBranch = branches?.map(parseBranch).find((branch) => branch !== null);
  return {
    prepared: true,
    title: history.title ?? null,
    link: history.link ?? null,
    projectStatus: history.project_status ?? null,
    branches,
    branchMajor: firstBranch ? Number(firstBranch.major) : null,
    walk,
    usable,
    releases,
  };
}

/** What is shown for a release: its last `version` element. */
export function shownVersion(release: HistoryRelease): string {
  return release.display_version ?? release.version;
}

/** True if the version starts with one of the branches, exactly as written. An empty branch fits everything. */
export function inSupportedBranch(version: string, branches: readonly string[] | null): boolean {
  return branches !== null && branches.some((branch) => version.startsWith(branch));
}

/**
 * Whether Drupal accepts the release at all. One that fails any of these does not exist for it, however good the rest is.
 */
export function isUsable(release: HistoryRelease): boolean {
  return (
    shownVersion(release) !== '' &&
    (release.status === 'published' || release.status === 'unpublished') &&
    release.release_link !== undefined &&
    release.release_link !== '' &&
    release.download_link !== '' &&
    (release.date === undefined || isNumeric(release.date)) &&
    release.core_compatible === undefined &&
    release.core_compatibility_message !== '' &&
    onlyReleaseTypes(release.terms)
  );
}

function onlyReleaseTypes(terms: HistoryRelease['terms']): boolean {
  for (const vocabulary in terms) if (vocabulary !== RELEASE_TYPE) return false;
  return true;
}

/** A release's date as a number with its fraction, for comparing two; null: none. */
export function exactDate(release: HistoryRelease | undefined): number | null {
  return release?.date === undefined ? null : looseNumber(release.date);
}

function walkedRelease(
  key: string,
  version: string,
  parsed: ParsedVersion,
  release: HistoryRelease,
  branches: readonly string[] | null,
): WalkedRelease {
  const terms = release.terms && Object.hasOwn(release.terms, RELEASE_TYPE) ? (release.terms[RELEASE_TYPE] ?? []) : [];
  const { extra } = parsed;
  return {
    major: parsed.major,
    minor: parsed.minor,
    extra,
    key,
    version,
    majorNumber: Number(parsed.major),
    supported: inSupportedBranch(version, branches) && !terms.includes('Unsupported'),
    published: release.status === 'published',
    insecure: terms.includes('Insecure'),
    securityUpdate: terms.includes('Security update'),
    date: release.date === undefined ? null : looseInteger(release.date),
    base: extra === null || extra === '' || extra === '0' ? version : version.replaceAll(`-${extra}`, ''),
  };
}
