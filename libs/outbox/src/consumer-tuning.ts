import type { ConsumerSettings } from '#libs/streams';

/** Settings of consumers that an operator may change, with the bounds that keep the guarantees. Times in milliseconds. */
const TUNABLE = {
  PATCHWATCH_CONSUMER_BATCH: ['batchSize', 1, 1_000],
  PATCHWATCH_CONSUMER_LEASE_MS: ['leaseMs', 500, 600_000],
  PATCHWATCH_CONSUMER_RETRY_MS: ['retryMs', 50, 600_000],
  PATCHWATCH_CONSUMER_LATER_MS: ['laterMs', 100, 600_000],
  PATCHWATCH_CONSUMER_MAX_DELAY_MS: ['maxDelayMs', 500, 3_600_000],
  PATCHWATCH_CONSUMER_PROBE_MS: ['probeMs', 100, 600_000],
} as const satisfies Record<string, readonly [keyof ConsumerSettings, number, number]>;

/**
 * Reads `PATCHWATCH_CONSUMER_*`; what is not set keeps its default (libs/streams, `DEFAULT_SETTINGS`).
 * @throws Error naming every value that makes no sense.
 */
export function consumerTuning(env: Readonly<Record<string, string | undefined>>): Partial<ConsumerSettings> {
  const settings: Partial<Record<keyof ConsumerSettings, number>> = {};
  const problems: string[] = [];
  for (const [variable, [setting, lowest, highest]] of Object.entries(TUNABLE)) {
    const text = env[variable];
    if (!text) continue;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= lowest && value <= highest) settings[setting] = value;
    else problems.push(`${variable} must be a whole number from ${lowest} to ${highest}, not "${text}"`);
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
  return settings;
}
