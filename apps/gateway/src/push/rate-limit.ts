/**
 * GCRA ("leaky bucket as a meter"): one number a key, the theoretical arrival time (TAT). A request may come as long as the
 * TAT, after counting it, lies no further ahead than the window. Quota requests may come at once; then one every
 * window / quota. All times in milliseconds on one clock.
 */
export interface Rate {
  readonly windowMs: number;
  /** Milliseconds one request "costs". */
  readonly costMs: number;
}

export function rateOf(policy: { readonly quota: number; readonly windowSeconds: number }): Rate {
  const windowMs = policy.windowSeconds * 1000;
  return { windowMs, costMs: windowMs / policy.quota };
}

/** The TAT after one more request; null: the request comes too early. */
export function afterRequest(rate: Rate, tat: number, now: number): number | null {
  const next = Math.max(tat, now) + rate.costMs;
  // Sums of fractions: a thousandth of a request of slack.
  return next - now > rate.windowMs + rate.costMs / 1000 ? null : next;
}

/** Requests that may still come at once. */
export function remaining(rate: Rate, tat: number, now: number): number {
  return Math.max(0, Math.floor((rate.windowMs - Math.max(0, tat - now)) / rate.costMs + 0.001));
}

/** Milliseconds until one request may come. */
export function waitMs(rate: Rate, tat: number, now: number): number {
  return Math.max(0, Math.max(tat, now) + rate.costMs - now - rate.windowMs);
}
