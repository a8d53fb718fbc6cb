import type { GroupCause } from './observer.js';
import type { RedisConnection } from './redis-connection.js';
import { GROUP } from './stream-key.js';

/**
 * Makes the group of the stream `key` at 0, so that whatever is in the stream is delivered: a service deployed late misses nothing. Makes the
 * stream, too, when it is not there.
 * @param seen whether this process has used the stream before
 * @returns why it had to be made; null when another process was quicker.
 * @throws RedisUnavailableError, Redis's own error (OOM, MISCONF, …)
 */
export async function makeGroup(
  connection: RedisConnection,
  key: string,
  seen: boolean,
  timeoutMs?: number,
): Promise<GroupCause | null> {
  try {
    try {
      await connection.runOn(key, (client) => client.xgroup('CREATE', key, GROUP, '0'), timeoutMs);
      return seen ? 'group_lost' : 'first';
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('requires the key to exist')) throw error;
      await connection.runOn(key, (client) => client.xgroup('CREATE', key, GROUP, '0', 'MKSTREAM'), timeoutMs);
      return seen ? 'stream_lost' : 'first';
    }
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('BUSYGROUP')) throw error;
    return null;
  }
}
