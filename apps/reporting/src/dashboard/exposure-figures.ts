import quickselect from 'quickselect';
import { rounded, type Days } from '../reading/days-distribution.js';
import { KIND, type ExposureColumns } from './exposure-columns.js';

const DAY_MS = 86_400_000;

/** Key of `open_by_risk` where nobody has said the risk. */
export const NO_RISK = 'unrated';

/** Figures of a fleet that need a look at every exposure. */
export interface ExposureFigures {
  /** Ages of what stands open. */
  readonly ages: Days;
  /** Days from opened to closed of what was patched in the last 365 days. */
  readonly timeToPatch: Days;
  /** Every cause that met a site, with how many of its exposures stand open. */
  readonly openByCause: ReadonlyMap<number, number>;
  readonly openedLastMonth: number;
  readonly closedLastMonth: number;
  /** Sum over sites of days with at least one exposure standing, of the last 90. */
  readonly siteDays: number;
}

/**
 * The figures at `now` over parts that share no site. The same as `ExposureFiguresRepository` computes in SQL for the past; a test
 * compares the two.
 */
export function exposureFigures(parts: readonly ExposureColumns[], now: Date): ExposureFigures {
  const instant = now.getTime();
  const ages: number[] = [];
  const patched: number[] = [];
  // Plain numbers and typed arrays: this walks every exposure of the fleet while somebody waits.
  const openOf = new Int32Array(greatestCause(parts) + 1).fill(-1);
  let openedLastMonth = 0;
  let closedLastMonth = 0;
  let siteDays = 0;
  for (const part of parts) {
    siteDays += siteDaysOf(part, instant);
    for (let row = 0; row < part.length; row++) {
      const openedAt = part.openedAt[row]!;
      const closedAt = part.closedAt[row]!;
      const kind = part.kinds[row]!;
      const cause = part.causeIds[row]!;
      if (openOf[cause] === -1) openOf[cause] = 0;
      if (within(openedAt, instant, 30)) openedLastMonth++;
      if (within(closedAt, instant, 30)) closedLastMonth++;
      if (kind === KIND.open) {
        ages.push((instant - openedAt) / DAY_MS);
        openOf[cause]!++;
      } else if (kind === KIND.patched && within(closedAt, instant, 365)) patched.push((closedAt - openedAt) / DAY_MS);
    }
  }
  const openByCause = new Map<number, number>();
  for (const [cause, count] of openOf.entries()) if (count >= 0) openByCause.set(cause, count);
  return {
    ages: distribution(ages),
    timeToPatch: distribution(patched),
    openByCause,
    openedLastMonth,
    closedLastMonth,
    siteDays: rounded(siteDays, 100),
  };
}

function greatestCause(parts: readonly ExposureColumns[]): number {
  let greatest = 0;
  for (const part of parts) if (part.greatestCause > greatest) greatest = part.greatestCause;
  return greatest;
}

/** How many sites some causes met by `now`, and on how many of those all of a cause's exposures are patched. */
export function sitesByCause(
  parts: readonly ExposureColumns[],
  causes: readonly number[],
  now: Date,
): Map<number, { exposed: number; patched: number }> {
  const instant = now.getTime();
  const places = new Int32Array(Math.max(greatestCause(parts), ...causes, 0) + 1).fill(-1);
  causes.forEach((cause, place) => (places[cause] = place));
  const exposed = new Int32Array(causes.length);
  const patched = new Int32Array(causes.length);
  // A site's rows stand together, so the last site seen under a cause is enough to count each once.
  const site = new Int32Array(causes.length).fill(-1);
  const unpatched = new Uint8Array(causes.length);
  for (const part of parts) {
    for (let row = 0; row < part.length; row++) {
      const place = places[part.causeIds[row]!]!;
      if (place < 0 || part.openedAt[row]! > instant) continue;
      if (site[place] !== part.siteIds[row]) {
        site[place] = part.siteIds[row]!;
        unpatched[place] = 0;
        exposed[place]!++;
        patched[place]!++;
      }
      if (unpatched[place] === 0 && (part.kinds[row] !== KIND.patched || part.closedAt[row]! > instant)) {
        unpatched[place] = 1;
        patched[place]!--;
      }
    }
  }
  return new Map(causes.map((cause, place) => [cause, { exposed: exposed[place]!, patched: patched[place]! }]));
}

function within(at: number, instant: number, days: number): boolean {
  return at > instant - days * DAY_MS && at <= instant;
}

/** The rows are ordered by site and opening, so one running end is enough to join what overlaps. */
function siteDaysOf(part: ExposureColumns, instant: number): number {
  const start = instant - 90 * DAY_MS;
  let covered = start;
  let site = -1;
  let days = 0;
  for (let row = 0; row < part.length; row++) {
    if (part.siteIds[row] !== site) {
      site = part.siteIds[row]!;
      covered = start;
    }
    const from = Math.max(part.openedAt[row]!, covered);
    const until = Math.min(part.closedAt[row]!, instant);
    if (until <= from) continue;
    days += (until - from) / DAY_MS;
    covered = until;
  }
  return days;
}

/** @param values days; their order is changed */
function distribution(values: number[]): Days {
  const count = values.length;
  if (count === 0) return { count: 0, median: null, p90: null, mean: null, within_a_day: null, within_a_week: null };
  let sum = 0;
  let withinADay = 0;
  let withinAWeek = 0;
  for (const value of values) {
    sum += value;
    if (value <= 1) withinADay++;
    if (value <= 7) withinAWeek++;
  }
  return {
    count,
    median: rounded(quantile(values, 0.5), 100),
    p90: rounded(quantile(values, 0.9), 100),
    mean: rounded(sum / count, 100),
    within_a_day: rounded(withinADay / count, 10_000),
    within_a_week: rounded(withinAWeek / count, 10_000),
  };
}

/** Interpolated, as `percentile_cont` does. Two values are put where sorting would put them; sorting all takes five times as long. */
function quantile(values: number[], share: number): number {
  const place = (values.length - 1) * share;
  const [low, high] = [Math.floor(place), Math.ceil(place)];
  quickselect(values, high);
  if (low < high) quickselect(values, low, 0, high - 1);
  return values[low]! + (values[high]! - values[low]!) * (place - low);
}
