import { connectRedis } from './connect-redis.js';
import type { RedisConnection } from './redis-connection.js';

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

/** The server is older than what the transport is written for and tested with. */
export class OldRedisError extends Error {
  constructor(readonly version: string) {
    super(`The Redis for streams is version ${version}; 7.0 or newer, or Valkey, is needed.`);
    this.name = OldRedisError.name;
  }
}

const REQUIRED: Readonly<Record<string, string>> = {
  appendonly: 'yes',
  appendfsync: 'always',
  'maxmemory-policy': 'noeviction',
};

/**
 * Refuses a Redis that may lose what it has acknowledged: it must run `appendonly yes`, `appendfsync always` (measured:
 * `everysec` loses acknowledged writes on kill -9) and `maxmemory-policy noeviction`. Of a cluster every master is looked at, behind sentinels
 * the master; of both also the replicas that can be reached: one of them is the master after the next failover.
 * @returns the faults found, empty when none; with `allowLossy` they are only returned.
 * @throws LossyStreamsError, OldRedisError, RedisUnavailableError
 */
export async function assertDurableStreams(
  connection: RedisConnection,
  options: { readonly allowLossy?: boolean } = {},
): Promise<string[]> {
  const nodes = connection.nodes();
  const faults: string[] = [];
  for (const node of nodes) {
    const where = nodes.length > 1 ? `${addressOf(node)}: ` : '';
    faults.push(...(await faultsOf(node)).map((fault) => where + fault));
    for (const url of await replicasOf(node, connection.url)) {
      const replica = connectRedis(url, { name: `${connection.name}:replica`, role: 'streams' });
      try {
        await replica.ready(2_000);
        faults.push(...(await faultsOf(replica)).map((fault) => `replica ${addressOf(replica)}: ${fault}`));
      } catch {
        // It may be starting, or listen where we cannot go; then it cannot be judged, and it keeps nobody from starting.
      } finally {
        await replica.close();
      }
    }
  }
  if (faults.length > 0 && options.allowLossy !== true) throw new LossyStreamsError(faults);
  return faults;
}

/**
 * What the servers are: `redis 7.0.15`, `valkey 8.1.0`. All that the transport sends is in Redis 7.0 already; nothing newer is used.
 * @throws OldRedisError, RedisUnavailableError
 */
export async function assertKnownServers(connection: RedisConnection): Promise<string[]> {
  const servers = await Promise.all(
    connection.nodes().map((node) => node.run((client) => client.info('server')).then(serverOf)),
  );
  for (const { name, version } of servers) {
    if (name === 'redis' && Number(version.split('.')[0]) < 7) throw new OldRedisError(version);
  }
  return servers.map(({ name, version }) => `${name} ${version}`);
}

/** Name and version in the answer to `INFO server`. Valkey says 7.2.4 as its `redis_version`, for clients that know Redis only. */
export function serverOf(info: string): { readonly name: 'redis' | 'valkey'; readonly version: string } {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.+?)\\r?$`, 'm').exec(info)?.[1];
  const valkey = field('valkey_version');
  return valkey === undefined
    ? { name: 'redis', version: field('redis_version') ?? 'unknown' }
    : { name: 'valkey', version: valkey };
}

async function faultsOf(node: RedisConnection): Promise<string[]> {
  const faults: string[] = [];
  for (const [setting, wanted] of Object.entries(REQUIRED)) {
    const found = await node.run((client) => readSetting(client, setting));
    if (found === null) faults.push(`${setting} cannot be read (CONFIG GET is not allowed), it must be ${wanted}`);
    else if (found !== wanted) faults.push(`${setting} is ${found}, it must be ${wanted}`);
  }
  return faults;
}

/** From `slave0:ip=127.0.0.1,port=6380,state=online,…` of `INFO replication`, with the access that `url` gives. One server alone fails over to nobody. */
async function replicasOf(node: RedisConnection, url: string): Promise<string[]> {
  const [, scheme, access = ''] = /^(rediss?)\+(?:sentinel|cluster):\/\/([^@/]*@)?/.exec(url) ?? [];
  if (scheme === undefined) return [];
  const info = await node.run((client) => client.info('replication'));
  return [...info.matchAll(/^slave\d+:ip=([^,]+),port=(\d+),state=online/gm)].map(
    ([, host, port]) => `${scheme}://${access}${host!.includes(':') ? `[${host}]` : host}:${port}`,
  );
}

function addressOf(node: RedisConnection): string {
  return URL.canParse(node.url) ? new URL(node.url).host : 'master';
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
