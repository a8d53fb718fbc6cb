import type { RedisConnection } from '#libs/streams';
import { SharedRateLimiter } from '../push/shared-rate-limiter.service.js';
import type { RatePolicy } from '../settings.js';

/** Plans have few different limits. Limits of former days may be forgotten, and with them at most a window's count. */
const MOST_QUOTAS = 64;
const WINDOW_SECONDS = 60;

/**
 * The limiters of one kind of request, one for each number a minute that plans say: which one counts costs a look into a small map. They share
 * their counts in Redis, so whoever gets another plan does not begin anew. A policy of the operator stands above all plans (ADR 0024).
 */
export class PlanRates {
  private readonly fixed: SharedRateLimiter | null;
  private readonly limiters = new Map<number, SharedRateLimiter>();

  /** @param policy the operator's; null: plans decide */
  constructor(
    private readonly name: string,
    policy: RatePolicy | null,
    private readonly cache: RedisConnection,
  ) {
    this.fixed = policy === null ? null : new SharedRateLimiter(policy, cache);
  }

  /** The limiter of those who may send so many a minute. */
  of(perMinute: number): SharedRateLimiter {
    return this.fixed ?? this.limiters.get(perMinute) ?? this.add(perMinute);
  }

  stop(): void {
    this.fixed?.stop();
    for (const limiter of this.limiters.values()) limiter.stop();
  }

  private add(perMinute: number): SharedRateLimiter {
    const limiter = new SharedRateLimiter(
      { name: this.name, quota: perMinute, windowSeconds: WINDOW_SECONDS },
      this.cache,
    );
    this.limiters.set(perMinute, limiter);
    if (this.limiters.size > MOST_QUOTAS) {
      // Maps keep the order of insertion: the first came first.
      const [oldest, former] = this.limiters.entries().next().value!;
      former.stop();
      this.limiters.delete(oldest);
    }
    return limiter;
  }
}
