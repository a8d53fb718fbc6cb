/**
 * Exposure episodes as a function of what a site ran and of what is unsafe. The same function stands as SQL in
 * `exposure-episode.sql.ts`, for thousands of sites at once; a property test holds the two together.
 */

/** What a cause (one advisory, or Drupal.org's own mark) says of one version. */
export type Verdict = 'affected' | 'unaffected' | 'unknown';

/** One version of a module standing on one site from `from` until `to` (null: it still stands). */
export interface InstalledInterval {
  readonly from: Date;
  readonly to: Date | null;
  /** `absent`: the module was not there. */
  readonly verdict: Verdict | 'absent';
  readonly version: string | null;
  /** From when the version counts as unsafe: the publication. Only read when `verdict` is `affected`. */
  readonly unsafeFrom: Date | null;
  /** Observation before the one that began this interval; null when there was none. */
  readonly previousObservedAt: Date | null;
}

/** One exposure, derived: it opened, and stands, cannot be judged, or closed. */
export interface Episode {
  readonly openedAt: Date;
  readonly publishedAt: Date;
  /** The version that opened it. */
  readonly version: string | null;
  readonly state: 'open' | 'unknown' | 'closed';
  /** Start of the versions that nobody can judge and that end the episode as far as it is known; null: there are none. */
  readonly unknownSince: Date | null;
  readonly closedAt: Date | null;
  /** The last observation that still had an unsafe version. */
  readonly closedAfter: Date | null;
  readonly reason: 'patched' | 'removed' | 'site_removed' | null;
  readonly closedVersion: string | null;
}

/**
 * The episodes of one site, module and cause.
 *
 * An episode is a maximal run of unsafe versions. It opens at the later of publication and installation, closes at the
 * first interval with a safe version (`patched`) or without the module (`removed`), or when the site is removed. Versions
 * that cannot be judged neither open nor close: they leave the episode `unknown` until a version that can be judged.
 * A version that becomes unsafe only after its installation begins an episode of its own: until then it was safe.
 *
 * @param intervals in order of `(epoch, sequence)`, with rising times
 * @param siteRemovedAt nothing counts from then on
 */
export function exposureEpisodes(
  intervals: readonly InstalledInterval[],
  siteRemovedAt: Date | null = null,
): Episode[] {
  const episodes: Episode[] = [];
  let standing: OpenEpisode | null = null;
  for (const interval of clippedAt(intervals, siteRemovedAt)) {
    const kind = judged(interval);
    if (kind === 'unknown') {
      if (standing && !standing.unknown) standing.unknown = interval;
      continue;
    }
    const continues = kind === 'affected' && interval.unsafeFrom! <= interval.from;
    if (standing && continues) {
      standing.unknown = null;
      continue;
    }
    if (standing) episodes.push(closedBy(standing, interval));
    standing = kind === 'affected' ? { opening: interval, unknown: null } : null;
  }
  if (standing) episodes.push(siteRemovedAt ? endedWithSite(standing, siteRemovedAt) : stillStanding(standing));
  return episodes;
}

interface OpenEpisode {
  readonly opening: InstalledInterval;
  /** The first interval after the last unsafe one, when nobody can judge it. */
  unknown: InstalledInterval | null;
}

/** Ends the intervals where the site ends, and leaves out those without extent: nothing was ever observed to stand there. */
function clippedAt(intervals: readonly InstalledInterval[], end: Date | null): InstalledInterval[] {
  return intervals
    .map((interval) => (end && (!interval.to || interval.to > end) ? { ...interval, to: end } : interval))
    .filter((interval) => !interval.to || interval.to > interval.from);
}

/** An unsafe version that was gone before its advisory appeared was never known to be unsafe. */
function judged(interval: InstalledInterval): Verdict | 'absent' {
  if (interval.verdict !== 'affected') return interval.verdict;
  return interval.to && interval.unsafeFrom! >= interval.to ? 'unaffected' : 'affected';
}

function opened({ opening, unknown }: OpenEpisode) {
  const publishedAt = opening.unsafeFrom!;
  return {
    openedAt: publishedAt > opening.from ? publishedAt : opening.from,
    publishedAt,
    version: opening.version,
    unknownSince: unknown?.from ?? null,
  };
}

function closedBy(standing: OpenEpisode, closing: InstalledInterval): Episode {
  return {
    ...opened(standing),
    state: 'closed',
    closedAt: closing.from,
    closedAfter: (standing.unknown ?? closing).previousObservedAt,
    reason: closing.verdict === 'absent' ? 'removed' : 'patched',
    closedVersion: closing.version,
  };
}

function endedWithSite(standing: OpenEpisode, removedAt: Date): Episode {
  return {
    ...opened(standing),
    state: 'closed',
    closedAt: removedAt,
    closedAfter: standing.unknown?.previousObservedAt ?? null,
    reason: 'site_removed',
    closedVersion: null,
  };
}

function stillStanding(standing: OpenEpisode): Episode {
  return {
    ...opened(standing),
    state: standing.unknown ? 'unknown' : 'open',
    closedAt: null,
    closedAfter: null,
    reason: null,
    closedVersion: null,
  };
}
