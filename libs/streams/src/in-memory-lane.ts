import type { ClaimPolicy, HandBack, StreamEntry, StreamLane } from './broker.js';
import type { ConsumerTime } from './consumer-settings.js';
import type { InMemoryStream } from './in-memory-stream.js';
import type { QueueDepth } from './observer.js';
import { PARKED, WAITING } from './stream-key.js';

export interface InMemoryLaneOptions {
  readonly queue: string;
  readonly partition: number;
  readonly consumer: string;
  readonly time: ConsumerTime;
}

const LONG_AGO_MS = 30 * 24 * 3_600_000;

/** One partition in memory; says in TypeScript what the Lua scripts of the Redis lane say in Lua. */
export class InMemoryLane implements StreamLane {
  readonly queue: string;
  readonly partition: number;
  readonly consumer: string;
  private interrupted = false;

  constructor(
    private readonly stream: InMemoryStream,
    private readonly options: InMemoryLaneOptions,
  ) {
    this.queue = options.queue;
    this.partition = options.partition;
    this.consumer = options.consumer;
  }

  async read(count: number, waitMs: number): Promise<StreamEntry[]> {
    const { time } = this.options;
    const end = time.now() + waitMs;
    for (;;) {
      const entries = this.stream.readNew(count, this.consumer);
      const left = end - time.now();
      if (entries.length > 0 || left <= 0 || this.interrupted) return entries;
      const change = this.stream.change();
      const awake = new AbortController();
      await Promise.race([change.happened, time.sleep(left, awake.signal)]);
      change.forget();
      awake.abort();
    }
  }

  async claimDue(policy: ClaimPolicy, count: number): Promise<StreamEntry[]> {
    const now = this.options.time.now();
    const found: StreamEntry[] = [];
    let again = false;
    for (const { id, owner, since, deliveries } of this.stream.pendingRows) {
      if (found.length === count) break;
      if (owner === this.consumer || now - since < delayOf(policy, owner, deliveries)) continue;
      if (again && deliveries > 0) continue;
      again ||= deliveries > 0;
      const entry = this.stream.claim(id, this.consumer, deliveries + 1);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  async recoverLost(held: ReadonlySet<string>, count: number): Promise<StreamEntry[]> {
    const found: StreamEntry[] = [];
    for (const { id, owner, deliveries } of this.stream.pendingRows) {
      if (owner !== this.consumer || held.has(id) || found.length === count) continue;
      const entry = this.stream.claim(id, this.consumer, Math.max(deliveries, 1));
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  async renew(ids: readonly string[]): Promise<string[]> {
    return ids.filter((id) => {
      const row = this.mine(id);
      return row !== undefined && this.stream.claim(id, this.consumer, row.deliveries) !== undefined;
    });
  }

  async handBack(entries: readonly HandBack[]): Promise<void> {
    for (const { id, deliveries, when } of entries) {
      if (this.mine(id) === undefined) continue;
      const owner = when === 'later' ? PARKED : WAITING;
      this.stream.claim(id, owner, Math.max(deliveries, 0), when === 'now' ? LONG_AGO_MS : 0);
    }
  }

  async settle(ids: readonly string[]): Promise<number> {
    return this.stream.settle(ids);
  }

  async depth(): Promise<QueueDepth> {
    const rows = this.stream.pendingRows;
    const waiting = rows.filter(({ owner }) => owner === WAITING || owner === PARKED).length;
    return { length: this.stream.length, pending: rows.length, waiting, oldestAgeMs: this.stream.oldestAgeMs };
  }

  async forgetSilent(silentMs: number): Promise<number> {
    return this.stream.forget((name, silent) => silent >= silentMs || name === WAITING || name === PARKED);
  }

  async leave(): Promise<void> {
    this.stream.forget((name) => name === this.consumer);
  }

  interrupt(): void {
    this.interrupted = true;
    this.stream.wake();
  }

  async close(): Promise<void> {
    this.interrupt();
  }

  private mine(id: string): { readonly deliveries: number } | undefined {
    const row = this.stream.row(id);
    return row?.owner === this.consumer ? row : undefined;
  }
}

function delayOf(policy: ClaimPolicy, owner: string, deliveries: number): number {
  if (owner === PARKED) return policy.laterMs;
  const first = owner === WAITING ? policy.retryMs : policy.leaseMs;
  return Math.min(first * 2 ** Math.max(deliveries - 1, 0), Math.max(policy.maxDelayMs, first));
}
