import type { RedisConnection } from './connect-redis.js';

/** The Redis for streams could lose acknowledged writes as it is set. */
export class LossyStreamsError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(
      `The Redis for streams may lose accepted messages: ${faults.join('; ')}. ` +
        'Set it so, or allow it with PATCHWATCH_ALLOW_LOSSY_STREAMS=1.',
    );
    this.name = LossyStreamsError.name;
  }
}

/**
 * Refuses a Redis that may lose what it has acknowledged: it must run `appendonly yes`, `appendfsync always` (measured:
 * `everysec` loses acknowledged writes on kill -9) and `maxmemory-policy noeviction`.
 * @returns the faults found, empty when none; with `allowLossy` they are only returned.
 * @throws LossyStreamsError
 */
export async function assertDurableStreams(
  connection: RedisConnection,
  options: { readonly allowLossy?: boolean } = {},
): Promise<string[]> {
  const required: Record<string, string> = {
    appendonly: 'yes',
    appendfsync: 'always',
    'maxmemory-policy': 'noeviction',
  };
  const faults: string[] = [];
  for (const [setting, wanted] of Object.entries(required)) {
    const found = await connection.run((client) => readSetting(client, setting));
    if (found === null) faults.push(`${setting} cannot be read (CONFIG GET is not allowed), it must be ${wanted}`);
    else if (found !== wanted) faults.push(`${setting} is ${found}, it must be ${wanted}`);
  }
  if (faults.length > 0 && options.allowLossy !== true) throw new LossyStreamsError(faults);
  return faults;
}

/** null: the server (a managed one) does not answer CONFIG. */
async function readSetting(client: RedisConnection['client'], setting: string): Promise<string | null> {
  try {
    const reply: unknown = await client.config('GET', setting);
    // A flat list by default; an object where the client maps RESP3's maps.
    const pairs = Array.isArray(reply) ? reply : Object.entries(reply ?? {}).flat();
    const value: unknown = pairs[1];
    return typeof value === 'string' ? value : null;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return null;
    throw error;
  }
}
