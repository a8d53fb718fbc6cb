import type { Balance } from './identity.js';
import type { PlatformOptions } from './platform/platform.js';
import type { Stage } from './stage.js';

/** One disaster, played on real processes. The accounting identity is checked after each; a scenario adds what it promises beyond it. */
export interface Scenario {
  readonly number: number;
  /** For the command line and the report. */
  readonly name: string;
  /** What must hold beyond the identity, in words. */
  readonly promise: string;
  /** It kills Postgres: a server that others use will not do. */
  readonly needsOwnPostgres?: boolean;
  /** A platform of its own instead of the one that scenarios share. */
  readonly platform?: Omit<PlatformOptions, 'folder'>;
  run(stage: Stage): Promise<void>;
}

/** One line of the report. */
export interface Outcome extends Balance {
  readonly scenario: number;
  readonly name: string;
  readonly seconds: number;
  readonly verdict: 'kept' | 'broken' | 'not run';
  /** Identities and promises that do not hold, or why it was not run; empty when kept. */
  readonly problems: readonly string[];
  /** What was seen, for the reader of the report. */
  readonly notes: readonly string[];
}

export interface RunOptions {
  /** Shortened durations, same code: for the everyday tests. */
  readonly short: boolean;
  /** Books and logs go below it. */
  readonly folder: string;
  readonly say: (text: string) => void;
}

/** Leases and pauses as the scenarios use them, in milliseconds; production's are some times longer. */
export const TUNING = {
  full: { leaseMs: 5_000, retryMs: 500, laterMs: 2_000, probeMs: 1_000 },
  short: { leaseMs: 2_000, retryMs: 300, laterMs: 1_000, probeMs: 500 },
} as const;

/** The same as settings of the services. */
export function tuningSettings(short: boolean): Record<string, string> {
  const { leaseMs, retryMs, laterMs, probeMs } = short ? TUNING.short : TUNING.full;
  return {
    PATCHWATCH_CONSUMER_LEASE_MS: String(leaseMs),
    PATCHWATCH_CONSUMER_RETRY_MS: String(retryMs),
    PATCHWATCH_CONSUMER_LATER_MS: String(laterMs),
    PATCHWATCH_CONSUMER_PROBE_MS: String(probeMs),
  };
}
