import type { Publisher } from './ports.js';
import type { QueueDepth } from './observer.js';

/** One delivery of one entry of a queue stream. */
export interface StreamEntry {
  /** Redis entry id, `<ms>-<n>`; ids grow in the order of arrival. */
  readonly id: string;
  /** 1 for the first delivery; grows with every claim that counts. */
  readonly delivery: number;
  /** Flat `[name, value, …]`. */
  readonly fields: readonly Buffer[];
}

/**
 * When a pending entry may be taken over, by its owner and idle time. The delays of the first two double with every
 * delivery already made, up to `maxDelayMs`.
 */
export interface ClaimPolicy {
  /** Entry of a consumer that went silent. */
  readonly leaseMs: number;
  /** Entry handed back to be tried again. */
  readonly retryMs: number;
  /** Entry handed back for later (nobody here understands it yet); does not double. */
  readonly laterMs: number;
  readonly maxDelayMs: number;
}

/** An entry that its holder gives back. */
export interface HandBack {
  readonly id: string;
  /** The delivery count it shall have while it waits: `delivery` when this one counts, `delivery - 1` when it does not. */
  readonly deliveries: number;
  /** `now`: whoever looks next may take it; `retry`, `later`: see ClaimPolicy. */
  readonly when: 'now' | 'retry' | 'later';
}

/**
 * One partition of a queue as one consumer sees it. Every method rejects with RedisUnavailableError when the broker does
 * not answer in bounded time; what was asked may then have happened. Creates the group at the beginning of the stream
 * when stream or group are gone.
 */
export interface StreamLane {
  readonly queue: string;
  readonly partition: number;
  readonly consumer: string;
  /** Up to `count` entries nobody has read; waits up to `waitMs` for the first. */
  read(count: number, waitMs: number): Promise<StreamEntry[]>;
  /**
   * Takes over what is due by `policy` from anyone, oldest first; each counts as a delivery. At most one of them was
   * delivered before: should that one kill the process, no other is counted with it.
   */
  claimDue(policy: ClaimPolicy, count: number): Promise<StreamEntry[]>;
  /**
   * What is pending for this consumer but not among `held`: its reply was lost. The delivery does not count again. Never
   * call it while a `read` or `claimDue` of this lane is under way.
   */
  recoverLost(held: ReadonlySet<string>, count: number): Promise<StreamEntry[]>;
  /** Restarts the lease of those `ids` that this consumer still owns and returns them. */
  renew(ids: readonly string[]): Promise<string[]>;
  /** Hands back those entries that this consumer still owns, to wait for their next try. */
  handBack(entries: readonly HandBack[]): Promise<void>;
  /** Acknowledges and deletes in one step. Harmless when repeated. Returns how many entries were there. */
  settle(ids: readonly string[]): Promise<number>;
  depth(): Promise<QueueDepth>;
  /** Removes the names of consumers with nothing pending that were silent for `silentMs`. */
  forgetSilent(silentMs: number): Promise<number>;
  /** Removes this consumer's name if nothing is pending for it. */
  leave(): Promise<void>;
  /** Makes a waiting `read` return soon. */
  interrupt(): void;
  close(): Promise<void>;
}

/** Carries queues: Redis in production, memory in tests. One conformance suite runs on both. */
export interface Broker extends Publisher {
  /** A lane for `consumer`, a name that no other process and no earlier start ever uses. */
  open(queue: string, partition: number, consumer: string): StreamLane;
}
