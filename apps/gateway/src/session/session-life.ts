/** A person may be logged in at so many places; one more ends the one that was used least recently. */
export const MOST_SESSIONS = 3;
/** A session that is not used for so long has ended. */
export const IDLE_MS = 24 * 3600_000;
/** And it ends so long after the log-in whatever happens. */
export const ABSOLUTE_MS = 30 * 24 * 3600_000;
/** A refresh token that was just replaced is answered with the same successor for so long: two tabs, or an answer that got lost. */
export const GRACE_MS = 10_000;
/** When she was last seen is noted so exactly. */
export const SEEN_EVERY_MS = 60_000;
/** What is sensitive wants her to have proved who she is within this time. */
export const STEP_UP_MS = 5 * 60_000;

/** A session as far as its end depends on it. */
export interface Lifetime {
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
}

/** Neither ended, nor too old, nor unused for too long. */
export function isAlive(session: Lifetime, now: Date): boolean {
  return (
    session.endedAt === null &&
    session.expiresAt.getTime() > now.getTime() &&
    now.getTime() - session.lastSeenAt.getTime() < IDLE_MS
  );
}

/** What a program says of itself, in one short line. */
export function deviceName(userAgent: string | undefined): string {
  const line = (userAgent ?? '').replace(/[\p{Cc}\p{Surrogate}]+/gu, ' ').trim();
  return line === '' ? 'unknown' : line.slice(0, 255);
}
