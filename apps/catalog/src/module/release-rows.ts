import type { HistoryRelease, ReleaseHistoryDocument } from '#libs/contracts';

/** A release as a row of `releases`. */
export interface ReleaseRow {
  readonly version: string;
  readonly place: number;
  readonly status: string | null;
  readonly releasedAt: Date | null;
  readonly security: boolean;
  readonly insecure: boolean;
  readonly unsupported: boolean;
  readonly covered: boolean | null;
  readonly coreCompatibility: string | null;
}

export function releaseRows(history: ReleaseHistoryDocument): ReleaseRow[] {
  return history.releases.map((release, place) => {
    const types = release.terms?.['Release type'] ?? [];
    return {
      version: release.version,
      place,
      status: release.status ?? null,
      releasedAt: releasedAt(release),
      security: types.includes('Security update'),
      insecure: types.includes('Insecure'),
      unsupported: types.includes('Unsupported'),
      covered: release.security?.covered ?? null,
      coreCompatibility: release.core_compatibility ?? null,
    };
  });
}

/** Date of the newest release, snapshots left out: those are packaged anew all the time. null: none has a date. */
export function newestReleaseAt(history: ReleaseHistoryDocument): Date | null {
  let newest: Date | null = null;
  for (const release of history.releases) {
    if (release.version.endsWith('-dev')) continue;
    const date = releasedAt(release);
    if (date && (!newest || date > newest)) newest = date;
  }
  return newest;
}

/** Whole Unix seconds of a plausible age; anything else is no date to show. */
function releasedAt({ date }: HistoryRelease): Date | null {
  if (date === undefined || !/^\d{1,11}$/.test(date)) return null;
  return new Date(Number(date) * 1000);
}
