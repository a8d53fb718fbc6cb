import type { DrupalMark } from '#libs/contracts';
import {
  advisoryVerdict,
  projectStatus,
  type AffectedVersions,
  type PreparedHistory,
  type UpdateStatus,
} from '#libs/drupal';

/** An installed version as sites report it. `datestamp` is 0 except for dev snapshots. */
export interface InstalledVersion {
  readonly versionId: number;
  /** null: the site named none. */
  readonly version: string | null;
  readonly datestamp: number;
}

/** What is known of a module's releases. `arrived` false: the catalog has not told of it yet. */
export interface KnownHistory {
  readonly module: string;
  readonly arrived: boolean;
  /** null: upstream knows no such project, or has not been heard. */
  readonly history: PreparedHistory | null;
  /** When the platform first saw this content. */
  readonly knownAt: Date | null;
}

/** Where a module stands on a site: the groups in which people read it. */
export type Standing = 'security' | 'update' | 'current' | 'unknown';

/** What Drupal says of a version, ready to be stored. */
export interface JudgedStatus {
  readonly versionId: number;
  readonly status: string;
  readonly reason: string | null;
  readonly standing: Standing;
  readonly recommended: string | null;
  readonly latest: string | null;
  readonly securityUpdates: readonly string[];
  /** Release date of the recommended version. */
  readonly availableSince: Date | null;
  /** Release date of the version itself. */
  readonly releasedAt: Date | null;
  /** Drupal.org's own mark; null: there is no release history. */
  readonly mark: DrupalMark | null;
}

/** What a cause says of a version. `unaffected` is not stored. */
export interface JudgedVersion {
  readonly versionId: number;
  /** 0: Drupal.org's own mark; else the advisory's id. */
  readonly causeId: number;
  readonly verdict: 'affected' | 'unknown';
  /** From when on it counts as unsafe; null for `unknown`. */
  readonly unsafeFrom: Date | null;
  /** Releases that fix it, for the mark; null for advisories, which name them themselves. */
  readonly fixedIn: readonly string[] | null;
}

export interface JudgedAdvisory extends AffectedVersions {
  readonly advisoryId: number;
  readonly state: string;
  readonly publishedAt: Date;
}

/** Cause id of Drupal.org's own mark. */
export const MARK = 0;

const STANDINGS: Readonly<Record<UpdateStatus, Standing>> = {
  NOT_SECURE: 'security',
  REVOKED: 'update',
  NOT_SUPPORTED: 'update',
  NOT_CURRENT: 'update',
  CURRENT: 'current',
  NOT_CHECKED: 'unknown',
  UNKNOWN: 'unknown',
  NOT_FETCHED: 'unknown',
  FETCH_PENDING: 'unknown',
};

/** The status of one version, as Drupal core computes it. */
export function judgeStatus(installed: InstalledVersion, known: KnownHistory): JudgedStatus {
  const { versionId, version, datestamp } = installed;
  const status = projectStatus({ project: known.module, version, datestamp }, known.history, {
    fetch: known.arrived ? 'ok' : 'absent',
  });
  return {
    versionId,
    status: status.status.toLowerCase(),
    reason: status.reason,
    standing: STANDINGS[status.status],
    recommended: status.recommended,
    latest: status.latestVersion,
    securityUpdates: status.securityUpdates,
    availableSince: releaseDate(known.history, status.recommended),
    releasedAt: releaseDate(known.history, version),
    mark: markOf(known.history, version),
  };
}

/** What Drupal.org's term `Insecure` says of a version. */
export function markOf(history: PreparedHistory | null, version: string | null): DrupalMark | null {
  if (!history) return null;
  const release = history.walk.find(({ key }) => key === version);
  if (!release) return 'not_listed';
  return release.insecure ? 'insecure' : 'not_insecure';
}

/** What advisories say of versions. A retracted advisory says nothing. */
export function judgeByAdvisories(
  versions: readonly InstalledVersion[],
  advisories: readonly JudgedAdvisory[],
): JudgedVersion[] {
  return advisories
    .filter((advisory) => advisory.state === 'published')
    .flatMap((advisory) =>
      versions.flatMap(({ versionId, version }): JudgedVersion[] => {
        const verdict = advisoryVerdict(advisory, version);
        if (verdict === 'unaffected') return [];
        const unsafeFrom = verdict === 'affected' ? advisory.publishedAt : null;
        return [{ versionId, causeId: advisory.advisoryId, verdict, unsafeFrom, fixedIn: null }];
      }),
    );
}

/**
 * What Drupal.org's own mark (the term `Insecure` of the installed release) says of versions that no advisory covers.
 * Unsafe from the next newer security release of the same major on; when there is none, from when the platform saw the mark.
 * @param covered versions that some advisory affects: the advisory says why, so the mark says nothing
 * @param seenMarked when the platform first saw the mark of a version that no release fixes
 */
export function judgeByMark(
  versions: readonly InstalledVersion[],
  known: KnownHistory,
  covered: ReadonlySet<number>,
  seenMarked: ReadonlyMap<number, Date>,
): JudgedVersion[] {
  const releases = known.history?.walk ?? [];
  if (!releases.some((release) => release.insecure)) return [];
  return versions.flatMap(({ versionId, version }): JudgedVersion[] => {
    const position = releases.findIndex((release) => release.key === version);
    if (position < 0) return [{ versionId, causeId: MARK, verdict: 'unknown', unsafeFrom: null, fixedIn: null }];
    const installed = releases[position]!;
    // Nobody marks snapshots, so one without a mark is not safe for that.
    if (!installed.insecure && installed.extra === 'dev')
      return [{ versionId, causeId: MARK, verdict: 'unknown', unsafeFrom: null, fixedIn: null }];
    if (!installed.insecure || covered.has(versionId)) return [];
    const fix = releases
      .slice(0, position)
      .findLast(
        (release) => release.securityUpdate && release.published && release.majorNumber === installed.majorNumber,
      );
    const fixedAt = fix?.date ? new Date(fix.date * 1000) : null;
    const unsafeFrom = fixedAt ?? seenMarked.get(versionId) ?? known.knownAt;
    if (!unsafeFrom) return [];
    return [{ versionId, causeId: MARK, verdict: 'affected', unsafeFrom, fixedIn: fix ? [fix.version] : [] }];
  });
}

/** A dev snapshot's status depends on when it was packaged; that of a release does not. */
export function statusDatestamp(version: string | null, datestamp: number | null): number {
  return version !== null && (version.includes('dev') || version.includes('HEAD')) ? (datestamp ?? 0) : 0;
}

function releaseDate(history: PreparedHistory | null, version: string | null): Date | null {
  if (version === null) return null;
  const seconds = Number(history?.releases.get(version)?.date ?? NaN);
  // Beyond what a date can hold (some feeds carry nonsense) there is no date.
  return Math.abs(seconds) < 1e11 ? new Date(Math.trunc(seconds) * 1000) : null;
}
