export interface RunOptions {
  /** Shortened durations, same code: for the everyday tests. */
  readonly short: boolean;
  /** Books and logs go below it. */
  readonly folder: string;
  readonly say: (text: string) => void;
  /** After how many milliseconds a scenario is given up. Default: some times what the slowest takes. */
  readonly limitMs?: number;
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
