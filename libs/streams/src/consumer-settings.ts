import { setTimeout as sleep } from 'node:timers/promises';
import type { ClaimPolicy } from './broker.js';

/** All times in ms. */
export interface ConsumerSettings {
  /** Messages in one transaction. */
  readonly batchSize: number;
  /** How long one read blocks. */
  readonly waitMs: number;
  /** A silent consumer's entries are taken over after this; a live one renews at a third of it. */
  readonly leaseMs: number;
  /** First delay before a failed message is tried again; doubles with each delivery. */
  readonly retryMs: number;
  /** Delay before a message of an unknown type is looked at again. */
  readonly laterMs: number;
  /** Longest delay of the two that double. */
  readonly maxDelayMs: number;
  /** The delivery that is not handled any more: the message is dead. */
  readonly deadDelivery: number;
  /** Between two rounds of reaper and orphan sweep. */
  readonly maintenanceMs: number;
  /** Between two looks at the depth, for gauges. */
  readonly depthMs: number;
  /** A consumer's name with nothing pending is removed after this silence. */
  readonly forgetMs: number;
  /** First and longest pause while database or Redis are away. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
  /** Tries in place before a batch that infrastructure fails is tried message by message. */
  readonly patience: number;
  /** Failures in a row of one type, without a success between, that open the breaker. At most 50. */
  readonly breakerLimit: number;
  /** Between two probes while the breaker is open. */
  readonly probeMs: number;
  /** A message of a type that nobody knew for so long is dead. */
  readonly unknownTypeMs: number;
}

export const DEFAULT_SETTINGS: ConsumerSettings = {
  batchSize: 64,
  waitMs: 1_000,
  leaseMs: 15_000,
  retryMs: 1_000,
  laterMs: 30_000,
  maxDelayMs: 5 * 60_000,
  deadDelivery: 5,
  maintenanceMs: 1_500,
  depthMs: 5_000,
  forgetMs: 10 * 60_000,
  pauseMs: 100,
  maxPauseMs: 5_000,
  patience: 6,
  breakerLimit: 20,
  probeMs: 5_000,
  unknownTypeMs: 24 * 3_600_000,
};

/** @throws RangeError for a setting that would lose the guarantees. */
export function consumerSettings(given: Partial<ConsumerSettings> | undefined): ConsumerSettings {
  const settings = { ...DEFAULT_SETTINGS, ...given };
  if (settings.breakerLimit > 50) throw new RangeError('breakerLimit is at most 50: a breaker must stop early.');
  if (settings.deadDelivery < 3)
    throw new RangeError('deadDelivery is at least 3: the second delivery is a trial alone.');
  if (settings.batchSize < 1 || settings.batchSize > 1_000) throw new RangeError('batchSize is 1 to 1,000.');
  return settings;
}

export function claimPolicy(settings: ConsumerSettings): ClaimPolicy {
  return settings;
}

/** Time and chance as the consumer sees them; tests pass fake ones. */
export interface ConsumerTime {
  /** ms since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
}

export const realTime: ConsumerTime = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
  random: Math.random,
};

/** The nth pause (from 0) of a series that doubles, with ±25 % jitter. */
export function pauseOf(attempt: number, settings: ConsumerSettings, time: ConsumerTime): number {
  return Math.min(settings.pauseMs * 2 ** attempt, settings.maxPauseMs) * (0.75 + time.random() / 2);
}
