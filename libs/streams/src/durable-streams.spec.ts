import { describe, expect, it } from '@jest/globals';
import { assertKnownServers, OldRedisError, serverOf } from './durable-streams.js';
import type { RedisConnection } from './redis-connection.js';

const REDIS = '# Server\r\nredis_version:7.0.15\r\nredis_git_sha1:00000000\r\n';
const VALKEY = '# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\n';
const OLD = '# Server\r\nredis_version:6.2.14\r\n';

/** A connection to servers that answer INFO so. */
function serversSaying(...infos: string[]): RedisConnection {
  const nodes = infos.map((info) => ({
    run: (command: (client: unknown) => unknown) => command({ info: async () => info }),
  }));
  return { nodes: () => nodes } as unknown as RedisConnection;
}

describe('The servers of the streams', () => {
  it('are known by name and version; Valkey calls itself 7.2.4 to those who know Redis only', () => {
    expect(serverOf(REDIS)).toEqual({ name: 'redis', version: '7.0.15' });
    expect(serverOf(VALKEY)).toEqual({ name: 'valkey', version: '8.1.0' });
  });

  it('may be Redis 7.0 and newer and Valkey; one older node of a cluster is one too many', async () => {
    await expect(assertKnownServers(serversSaying(REDIS, VALKEY))).resolves.toEqual(['redis 7.0.15', 'valkey 8.1.0']);
    await expect(assertKnownServers(serversSaying(REDIS, OLD))).rejects.toThrow(OldRedisError);
    await expect(assertKnownServers(serversSaying(OLD))).rejects.toThrow('6.2.14');
  });
});
