/** How often what is asked for, in milliseconds; `window` holds in Drupal's security window. */
export interface Beat {
  readonly module: BeatPair;
  readonly core: BeatPair;
  /** The feed of the latest advisories: one small page. */
  readonly advisories: BeatPair;
  /** What has changed in the archive of all advisories: one page of fifty; also asked for whenever the feed has news. */
  readonly archive: BeatPair;
  /** While an advisory has named a module and its document may lag behind. */
  readonly hotMs: number;
  /** First pause after a failure; doubles with each. */
  readonly retryMs: number;
  /** How long the loop waits when nothing is due. */
  readonly pollMs: number;
}

export interface BeatPair {
  readonly normalMs: number;
  readonly windowMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Drupal.org: one page of advisories every five minutes, every minute in the window, names the modules to ask for at once; the rest of
 * ten thousand modules costs less than half a request a second.
 */
export const POLITE_BEAT: Beat = {
  module: { normalMs: 6 * HOUR, windowMs: 2 * HOUR },
  core: { normalMs: 10 * MINUTE, windowMs: 90 * SECOND },
  advisories: { normalMs: 5 * MINUTE, windowMs: MINUTE },
  archive: { normalMs: 30 * MINUTE, windowMs: 10 * MINUTE },
  hotMs: MINUTE,
  retryMs: MINUTE,
  pollMs: SECOND,
};

/** An upstream on this machine or in the same network, which nobody else needs. */
export const LOCAL_BEAT: Beat = {
  module: { normalMs: 10 * MINUTE, windowMs: 5 * MINUTE },
  core: { normalMs: MINUTE, windowMs: MINUTE },
  advisories: { normalMs: 15 * SECOND, windowMs: 15 * SECOND },
  archive: { normalMs: MINUTE, windowMs: MINUTE },
  hotMs: 15 * SECOND,
  retryMs: 2 * SECOND,
  pollMs: 250,
};

const LONGEST_RETRY_MS = 6 * HOUR;
const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/** Wednesday 15:00–19:00 UTC holds nine of ten advisories. */
export function inSecurityWindow(now: Date): boolean {
  return now.getUTCDay() === 3 && now.getUTCHours() >= 15 && now.getUTCHours() < 19;
}

/** When the next window begins; `now` in a window belongs to the one after it. */
export function nextSecurityWindow(now: Date): Date {
  const start = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), 15));
  do {
    if (start.getUTCDay() === 3 && start > now) return start;
    start.setUTCDate(start.getUTCDate() + 1);
  } while (true);
}

/**
 * When to ask again after an answer. Jittered by a tenth, so that what was once asked together does not stay together; never past the
 * beginning of a window, where all of it would otherwise wait for its old turn: it is spread over the window's own interval.
 * @param random 0 ≤ random < 1
 */
export function dueAfterSuccess(pair: BeatPair, now: Date, random: number): Date {
  if (inSecurityWindow(now)) return new Date(now.getTime() + pair.windowMs * (0.9 + random / 5));
  const due = now.getTime() + pair.normalMs * (0.9 + random / 5);
  const windowDue = nextSecurityWindow(now).getTime() + pair.windowMs * random;
  return new Date(Math.min(due, Math.max(windowDue, now.getTime() + pair.windowMs * 0.9)));
}

/** A row of failures. */
export interface FailureRow {
  /** In a row, this one counted. */
  readonly failures: number;
  readonly retryAfterMs: number | null;
  /** When it would be due had it succeeded. */
  readonly usual: Date;
}

/**
 * When to ask again after a failure: exponential, with full jitter around it, never later than usual, since that costs no more than usual
 * and what comes back is known as soon as ever; and never before the host's own Retry-After.
 */
export function dueAfterFailure(
  retryMs: number,
  { failures, retryAfterMs, usual }: FailureRow,
  now: Date,
  random: number,
): Date {
  const pause = Math.min(LONGEST_RETRY_MS, retryMs * 2 ** Math.min(30, failures - 1)) * (0.5 + random);
  const due = Math.min(now.getTime() + pause, Math.max(usual.getTime(), now.getTime() + retryMs / 2));
  return new Date(Math.max(due, now.getTime() + Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS)));
}
