import type { RedisConnection } from '#libs/streams';
import type { RatePolicy } from '../settings.js';
import { afterRequest, rateOf, remaining, waitMs } from './rate-limit.js';
import type { Rate } from './rate-limit.js';

/**
 * A rate limit that all replicas share at almost no cost: every replica decides from memory at once, and every 50 ms tells Redis in one
 * call how many requests of which keys it let through; the answer is where all replicas together stand. So a request costs a look into
 * a map instead of a round trip, and a flood over several replicas gets through for one such interval at most. When Redis is away each
 * replica goes on with what it saw itself.
 */
export class SharedRateLimiter {
  readonly rate: Rate;
  /** `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10. */
  readonly policyHeader: string;
  private readonly buckets = new Map<string, Bucket>();
  private changed: Bucket[] = [];
  private readonly timer: NodeJS.Timeout;
  private sharing: Promise<void> | undefined;

  constructor(
    private readonly policy: RatePolicy,
    private readonly cache: RedisConnection,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.rate = rateOf(policy);
    this.policyHeader = `"${policy.name}";q=${policy.quota};w=${policy.windowSeconds}`;
    this.timer = setInterval(() => void this.share(), SHARE_EVERY_MS);
    this.timer.unref();
  }

  /** Lets one request of `key` through (0), or says how many milliseconds it has to wait. */
  take(key: string): number {
    const now = this.now();
    const bucket = this.bucketOf(key);
    const next = afterRequest(this.rate, bucket.tat, now);
    if (next === null) return waitMs(this.rate, bucket.tat, now);
    bucket.tat = next;
    if (bucket.untold++ === 0) this.changed.push(bucket);
    return 0;
  }

  /** Milliseconds `key` would have to wait now; takes nothing. */
  wait(key: string): number {
    const bucket = this.buckets.get(key);
    return bucket === undefined ? 0 : waitMs(this.rate, bucket.tat, this.now());
  }

  /** `RateLimit`: what is left for `key`, and the seconds until all of it is there again. */
  header(key: string): string {
    const now = this.now();
    const tat = this.buckets.get(key)?.tat ?? now;
    return `"${this.policy.name}";r=${remaining(this.rate, tat, now)};t=${Math.max(0, Math.ceil((tat - now) / 1000))}`;
  }

  /** Tells Redis what was let through since the last time and takes over what it knows. One at a time. Never rejects. */
  share(): Promise<void> {
    if (this.changed.length === 0) return this.sharing ?? Promise.resolve();
    this.sharing ??= this.shareNow().finally(() => {
      this.sharing = undefined;
    });
    return this.sharing;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async shareNow(): Promise<void> {
    const told = this.changed.splice(0, MOST_AT_ONCE);
    const counts = told.map((bucket) => bucket.untold);
    for (const bucket of told) bucket.untold = 0;
    const keys = told.map((bucket) => bucket.redisKey);
    try {
      const ahead = (await this.cache.run((client) =>
        client.eval(ADVANCE, keys.length, ...keys, this.rate.costMs, this.rate.windowMs, ...counts),
      )) as number[];
      const now = this.now();
      told.forEach((bucket, i) => {
        // What was let through while we asked is not in the answer yet.
        bucket.tat = now + ahead[i]! + bucket.untold * this.rate.costMs;
      });
    } catch {
      // Redis is away: what this replica saw itself still limits. Not told again: it would count twice if it did arrive.
    }
  }

  private bucketOf(key: string): Bucket {
    let bucket = this.buckets.get(key);
    if (bucket === undefined) {
      if (this.buckets.size >= MOST_KEYS) this.sweep();
      bucket = { redisKey: `pw:rate:${this.policy.name}:${key}`, tat: 0, untold: 0 };
      this.buckets.set(key, bucket);
    }
    return bucket;
  }

  /** Drops what is full again; if that is not enough, the oldest half: forgetting is kinder than growing. */
  private sweep(): void {
    const now = this.now();
    for (const [key, bucket] of this.buckets) if (bucket.tat <= now && bucket.untold === 0) this.buckets.delete(key);
    if (this.buckets.size < MOST_KEYS) return;
    let surplus = MOST_KEYS / 2;
    for (const key of this.buckets.keys()) {
      if (surplus-- <= 0) break;
      this.buckets.delete(key);
    }
  }
}

interface Bucket {
  readonly redisKey: string;
  tat: number;
  /** Requests let through that Redis does not know of. */
  untold: number;
}

const SHARE_EVERY_MS = 50;
/** Keys of one call: bounds how long Redis is busy with it (about 2 µs each). */
const MOST_AT_ONCE = 1_000;
const MOST_KEYS = 200_000;

/**
 * Moves the shared TAT of each key on by what one replica let through.
 * KEYS: the keys. ARGV: ms a request costs, ms of the window, then the number of requests of each key.
 * Answers, for each key, how many ms its TAT now lies ahead of Redis's clock. A TAT never lies further ahead than a window and
 * what was just added; a key without a future expires.
 */
const ADVANCE = `
local cost, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ahead = {}
for i, key in ipairs(KEYS) do
  local tat = math.max(tonumber(redis.call('GET', key) or '0'), now) + cost * tonumber(ARGV[2 + i])
  tat = math.min(tat, now + 2 * window)
  redis.call('SET', key, string.format('%.3f', tat), 'PX', math.ceil(tat - now) + 1000)
  ahead[i] = math.ceil(tat - now)
end
return ahead`;
