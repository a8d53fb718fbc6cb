/** What is to become of a mail that could not be handed over. */
export interface NextStep {
  readonly state: 'failed' | 'dead';
  /** When to try again; null when dead. */
  readonly nextAttemptAt: Date | null;
}

export interface RetryPolicy {
  /** Pause after the 1st, 2nd, … failure in milliseconds; the last one repeats. */
  readonly pausesMs: readonly number[];
  /** After this long nobody wants the news any more. */
  readonly giveUpAfterMs: number;
}

const MINUTE = 60_000;

/** A mail server that is away for a night must not cost a mail; an alert older than three days is none. */
export const DEFAULT_RETRY: RetryPolicy = {
  pausesMs: [1, 5, 15, 60, 240].map((minutes) => minutes * MINUTE),
  giveUpAfterMs: 3 * 24 * 60 * MINUTE,
};

/** A refusal for good ends it; anything else is tried again, later and later, until it is too old. */
export function afterFailure(
  delivery: { readonly attempts: number; readonly createdAt: Date },
  refused: boolean,
  now: Date,
  policy: RetryPolicy = DEFAULT_RETRY,
): NextStep {
  const pause = policy.pausesMs[Math.min(delivery.attempts, policy.pausesMs.length) - 1] ?? policy.pausesMs[0]!;
  const next = now.getTime() + pause;
  if (refused || next - delivery.createdAt.getTime() > policy.giveUpAfterMs)
    return { state: 'dead', nextAttemptAt: null };
  return { state: 'failed', nextAttemptAt: new Date(next) };
}
