import { looseInteger } from './loose-values.js';
import type { PreparedHistory } from './prepared-history.js';
import { parseVersion } from './version.js';

/** Which core's table of fixed end dates applies: cores hard-code it, and a site runs its own minor's code. */
export type CoreCode = '11.x' | '10.6.x';

/** Until when core's minor gets security releases, as facts. */
export type CoverageInfo =
  { endVersion: string; additionalMinors: number | null } | { endDate: string; warnDate: string | null };

export interface CoverageEntry {
  state: 'covered' | 'ended';
  /** A core version, or a date like `2026-Jun-17` or `2021-Nov`; null when it has ended. */
  until: string | null;
  severity: 'info' | 'warning' | 'error';
  /** `update-to-minor-or-higher:<minor>`, `update-to-supported-minor-now`, `update-to-supported-version-soon`. */
  hint: string | null;
}

export interface CoreCoverage {
  info: CoverageInfo | null;
  entry: CoverageEntry | null;
}

type EndDates = Readonly<Record<string, { end: string; warn: string | null }>>;

const DATES_OF_11: EndDates = {
  '9.4': { end: '2023-06-21', warn: '2022-12-14' },
  '9.5': { end: '2023-11', warn: '2023-05-14' },
};
const DATES_OF_10_6: EndDates = {
  '10.5': { end: '2026-06-17', warn: '2025-12-10' },
  '10.6': { end: '2026-12-09', warn: '2026-06-17' },
};
/** A site runs its own minor's code, so one table of all minors answers for real sites. */
const ALL_DATES: EndDates = {
  '8.8': { end: '2020-12-02', warn: '2020-06-02' },
  '8.9': { end: '2021-11', warn: null },
  ...DATES_OF_11,
  ...DATES_OF_10_6,
};

/**
 * Core's security coverage.
 * @param options `now` in Unix seconds; `timeZone` of the site, default UTC; `coreCode` to pin one table of dates.
 * @returns null when no release of core is known.
 */
export function coreCoverage(
  existingVersion: string,
  history: PreparedHistory | null,
  options: { now?: number; timeZone?: string; coreCode?: CoreCode },
): CoreCoverage | null {
  if (!history || history.releases.size === 0) return null;
  const dates = options.coreCode === '11.x' ? DATES_OF_11 : options.coreCode === '10.6.x' ? DATES_OF_10_6 : ALL_DATES;
  const info = coverageInfo(existingVersion, history, dates);
  if (!info) return { info: null, entry: null };
  return {
    info,
    entry:
      'endDate' in info ? entryByDate(info, options.now ?? 0, options.timeZone) : entryByVersion(info, existingVersion),
  };
}

function coverageInfo(existingVersion: string, history: PreparedHistory, dates: EndDates): CoverageInfo | null {
  if (!history.releases.has(existingVersion)) return null;
  const parsed = parseVersion(existingVersion);
  if (!parsed) return null;
  const minor = minorOf(existingVersion);
  // Before pre-releases and snapshots are looked at: a 10.5 rc has the dates of 10.5.
  const minorName = `${parsed.major}.${minor}`;
  const fixed = Object.hasOwn(dates, minorName) ? dates[minorName] : undefined;
  if (fixed) return { endDate: fixed.end, warnDate: fixed.warn };
  if (parsed.extra !== null && parsed.extra !== '' && parsed.extra !== '0') return null;
  const endMinor = minor + 2;
  return {
    endVersion: `${parsed.major}.${endMinor}.0`,
    additionalMinors: additionalMinors(parsed.major, endMinor, history),
  };
}

function additionalMinors(major: string, endMinor: number, history: PreparedHistory): number | null {
  for (const release of history.usable) {
    // Drupal throws here; no number is the honest answer.
    if (!release.parsed) return null;
    const { extra } = release.parsed;
    const stable = extra === null || extra === '' || extra === '0';
    if (release.parsed.major === major && release.published && stable) return endMinor - minorOf(release.version);
  }
  return null;
}

function minorOf(version: string): number {
  return looseInteger(version.split('.', 2)[1] ?? '');
}

function entryByVersion(
  info: { endVersion: string; additionalMinors: number | null },
  existingVersion: string,
): CoverageEntry {
  const { additionalMinors: additional, endVersion } = info;
  if (additional === null || additional <= 0) return ended();
  const covered = { state: 'covered' as const, until: endVersion };
  if (additional > 1) return { ...covered, severity: 'info', hint: null };
  const major = existingVersion.split('.', 1)[0] ?? '';
  return {
    ...covered,
    severity: 'warning',
    hint: `update-to-minor-or-higher:${major}.${minorOf(existingVersion) + 1}`,
  };
}

function entryByDate(
  info: { endDate: string; warnDate: string | null },
  now: number,
  timeZone?: string,
): CoverageEntry {
  const today = calendarDate(now, timeZone);
  const { endDate, warnDate } = info;
  // Compared as text, today cut to the precision of the end date: coverage ends on that day, or with its month's first day.
  if (endDate <= today.slice(0, endDate.length)) return ended();
  const warn = warnDate !== null && warnDate <= today;
  return {
    state: 'covered',
    until: shownDate(endDate),
    severity: warn ? 'warning' : 'info',
    hint: warn ? 'update-to-supported-version-soon' : null,
  };
}

function ended(): CoverageEntry {
  return { state: 'ended', until: null, severity: 'error', hint: 'update-to-supported-minor-now' };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function shownDate(date: string): string {
  const [year, month, day] = date.split('-');
  return [year, MONTHS[Number(month) - 1], day].filter((part) => part !== undefined).join('-');
}

/** `YYYY-MM-DD` of a moment in a time zone; UTC for a zone that does not exist. */
function calendarDate(unixSeconds: number, timeZone = 'UTC'): string {
  const moment = new Date(unixSeconds * 1000);
  if (Number.isNaN(moment.getTime())) return '1970-01-01';
  if (timeZone !== 'UTC') {
    try {
      return new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(
        moment,
      );
    } catch {
      // An unknown zone: fall through to UTC, the verdict must not depend on a site's typing error.
    }
  }
  return moment.toISOString().slice(0, 10);
}
