import type { ReleaseName } from './release-name.js';

/** A release as far as support of its branch depends on it. */
export interface DatedRelease {
  readonly name: ReleaseName;
  readonly at: number;
}

const MONTH = 30.44 * 86_400_000;

/**
 * The branches of a contributed project that its maintainers would hold supported after its latest release. Drupal.org keeps
 * this by hand and no record of it was to be had, so it is derived from the releases alone: it changes only when a release appears.
 * - the newest major with a stable release, majors above it, and the major below it while it still gets releases;
 * - of those, the newest minor with a stable release, minors above it, and minors that had a release within a year.
 */
export function supportedContribBranches(releases: readonly DatedRelease[]): string[] {
  if (releases.length === 0) return [];
  const latest = Math.max(...releases.map(({ at }) => at));
  const majors = [...new Set(releases.map(({ name }) => name.major))].sort((a, b) => b - a);
  const stable = (list: readonly DatedRelease[]) => list.filter(({ name }) => name.extra === null);
  const newestStable = majors.find((major) => stable(releases.filter(({ name }) => name.major === major)).length > 0);
  const floor = newestStable ?? majors[0] ?? 0;
  const next = majors.find((major) => major < floor);

  const branches = new Map<string, DatedRelease>();
  for (const major of majors) {
    const of = releases.filter(({ name }) => name.major === major);
    const lately = latest - Math.max(...of.map(({ at }) => at));
    if (major < floor && !(major === next && lately < 18 * MONTH)) continue;
    const minorFloor = Math.max(-1, ...stable(of).map(({ name }) => minorOf(name)));
    for (const release of of) {
      const minor = minorOf(release.name);
      const recent = of.some(({ name, at }) => minorOf(name) === minor && latest - at < 12 * MONTH);
      if (minor >= minorFloor || recent) branches.set(release.name.branch, release);
    }
  }
  return [...branches].sort(([, a], [, b]) => ascending(a.name, b.name)).map(([branch]) => branch);
}

/** `8.x-1.4` has no minor branches: all of 8.x-1 is one. */
const minorOf = (name: ReleaseName) => (/^\d+\.x-/.test(name.version) ? 0 : name.minor);

const ascending = (a: ReleaseName, b: ReleaseName) =>
  a.major - b.major ||
  Number(/^\d+\.x-/.test(b.version)) - Number(/^\d+\.x-/.test(a.version)) ||
  minorOf(a) - minorOf(b);

/** Minors whose end was set by date; every other minor ends when the second next minor appears (before 8.5: the next). */
const CORE_ENDS: Readonly<Record<string, string>> = {
  '8.8.': '2020-12-03T00:00:00Z',
  '8.9.': '2021-11-02T00:00:00Z',
  '9.4.': '2023-06-21T00:00:00Z',
  '9.5.': '2023-11-01T00:00:00Z',
  '10.4.': '2025-12-10T00:00:00Z',
  '10.5.': '2026-06-17T00:00:00Z',
  '10.6.': '2026-12-09T00:00:00Z',
};

/** Minors that were listed before their first release: recorded in October 2024. */
const CORE_STARTS: Readonly<Record<string, string>> = { '10.4.': '2024-10-01T00:00:00Z' };

/** When a support date of core passes: the document of core changes then without a release. Milliseconds since the epoch. */
export const CORE_SUPPORT_CHANGES: readonly number[] = [...Object.values(CORE_ENDS), ...Object.values(CORE_STARTS)].map(
  (instant) => Date.parse(instant),
);

/** Core's supported branches at `now` (milliseconds), by its release cycle; `releases` are those visible then. */
export function supportedCoreBranches(releases: readonly DatedRelease[], now: number): string[] {
  const opened = new Map<string, { major: number; minor: number; stable: boolean }>();
  for (const { name } of releases) {
    const known = opened.get(name.branch);
    opened.set(name.branch, {
      major: name.major,
      minor: name.minor,
      stable: known?.stable === true || name.extra === null,
    });
  }
  for (const [branch, from] of Object.entries(CORE_STARTS)) {
    const [major, minor] = branch.split('.').map(Number);
    if (now >= Date.parse(from) && !opened.has(branch))
      opened.set(branch, { major: major!, minor: minor!, stable: false });
  }
  const released = (major: number, minor: number) => opened.get(`${major}.${minor}.`)?.stable === true;
  return [...opened]
    .filter(([branch, { major, minor }]) => {
      const end = CORE_ENDS[branch];
      if (end) return now < Date.parse(end);
      return !released(major, minor + (major === 8 && minor < 5 ? 1 : 2));
    })
    .sort(([, a], [, b]) => a.major - b.major || a.minor - b.minor)
    .map(([branch]) => branch);
}
