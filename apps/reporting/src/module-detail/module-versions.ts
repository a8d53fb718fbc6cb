import type { HistoryRelease, RangeVerdict } from '#libs/contracts';
import { advisoryVerdict, compareReleaseOrder, type PreparedHistory } from '#libs/drupal';
import { dateOf } from '../module-history/recommended-release.js';

/** A version of a module as its release history has it, or as sites alone tell of it. */
export interface ListedVersion {
  readonly version: string | null;
  readonly listed: boolean;
  /** Unix seconds. */
  readonly released: number | null;
  readonly link: string | null;
  readonly published: boolean | null;
  readonly supported: boolean | null;
  readonly securityUpdate: boolean;
  readonly insecure: boolean;
  readonly covered: boolean | null;
  readonly coreCompatibility: string | null;
}

/** A published advisory on the module. */
export interface AdvisoryOnModule {
  readonly advisory: string;
  readonly affected: string | null;
  readonly affectedD7: string | null;
  readonly fixed: readonly string[];
  readonly unsupported: boolean;
}

/** What the advisories on a module say of one of its versions. */
export interface SaidByAdvisories {
  /** Whose range it is in. */
  readonly affecting: readonly string[];
  /** That name it as their fix. */
  readonly fixedBy: readonly string[];
  /** All of them together; null: there are none. */
  readonly range: RangeVerdict | null;
}

/** Every release of a history, usable for Drupal or not; snapshots too. */
export function versionsOf(history: PreparedHistory): ListedVersion[] {
  const walked = new Map(history.walk.map((release) => [release.key, release]));
  return [...history.releases.values()].map((release) => {
    const known = walked.get(release.version);
    const date = release.date === undefined ? NaN : Number(release.date);
    return {
      version: release.version,
      listed: true,
      released: Number.isFinite(date) && dateOf(date) ? Math.trunc(date) : null,
      link: release.release_link ?? null,
      published: release.status === 'published',
      supported: known?.supported ?? false,
      securityUpdate: has(release, 'Security update'),
      insecure: has(release, 'Insecure'),
      covered: release.security?.covered ?? null,
      coreCompatibility: release.core_compatibility ?? null,
    };
  });
}

/** A version that sites run and no release history has. */
export function unlistedVersion(version: string | null): ListedVersion {
  return {
    ...{ version, listed: false, released: null, link: null, published: null, supported: null },
    ...{ securityUpdate: false, insecure: false, covered: null, coreCompatibility: null },
  };
}

/** Oldest first, as releases follow each other; who names no version comes first. */
export function compareVersions(a: ListedVersion, b: ListedVersion): number {
  if (a.version === null || b.version === null) return Number(a.version !== null) - Number(b.version !== null);
  return compareReleaseOrder(a.version, b.version);
}

/** What `advisories` say of `version`. */
export function saidByAdvisories(version: string | null, advisories: readonly AdvisoryOnModule[]): SaidByAdvisories {
  const verdicts = advisories.map((advisory) => advisoryVerdict(advisory, version));
  const affecting = advisories.filter((_, index) => verdicts[index] === 'affected').map(({ advisory }) => advisory);
  const fixedBy = version === null ? [] : advisories.filter(({ fixed }) => fixed.includes(version));
  return {
    affecting,
    fixedBy: fixedBy.map(({ advisory }) => advisory),
    range:
      advisories.length === 0
        ? null
        : affecting.length > 0
          ? 'affected'
          : verdicts.includes('unknown')
            ? 'unknown'
            : 'unaffected',
  };
}

function has(release: HistoryRelease, term: string): boolean {
  return release.terms?.['Release type']?.includes(term) ?? false;
}
