import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { parseRedisUrl, type RedisUrl } from '#libs/runtime';
import { ClusterConnection } from './cluster-connection.js';
import { ClusterTopology } from './cluster-topology.js';
import { silentLog } from './observer.js';
import type { ConnectRedisOptions, RedisConnection } from './redis-connection.js';
import { ReplaceableConnection } from './replaceable-connection.js';
import { SentinelWatch } from './sentinel-watch.js';

/** Patience with one sentinel, in ms; then the next is asked. */
const SENTINEL_MS = 1_000;

/**
 * Connects to `url` in the background; `ready()` tells when it stands. The forms are those of `parseRedisUrl`:
 * `redis://host:port`, `redis+sentinel://host:port,host:port/master`, `redis+cluster://host:port,host:port`; `rediss…` for TLS.
 *
 * Failover, the same for all: what was in flight when a server died is doubtful and never sent again by itself. The sentinels' new master is found
 * by asking at each attempt to connect and every second besides; a demoted one answers READONLY, and its client is given up.
 * @throws RedisUrlError
 */
export function connectRedis(url: string, options: ConnectRedisOptions): RedisConnection {
  const target = parseRedisUrl(url);
  if (target.kind === 'server') return new ReplaceableConnection(url, options, (settings) => new Redis(url, settings));
  if (target.kind === 'sentinel') {
    const ask = (host: string, port: number, settings: RedisOptions): Redis => new Redis({ ...settings, host, port });
    const leader = new SentinelWatch(target.nodes, target.master, ask);
    return new ReplaceableConnection(url, options, bySentinels(target), leader);
  }
  const open = (host: string, port: number, settings: RedisOptions): Redis =>
    new Redis({ ...settings, ...accessOf(target), host, port });
  return new ClusterConnection(url, options, new ClusterTopology(target.nodes, open, options.log ?? silentLog), open);
}

function bySentinels(target: Extract<RedisUrl, { kind: 'sentinel' }>): (settings: RedisOptions) => Redis {
  return (settings) =>
    new Redis({
      ...settings,
      ...accessOf(target),
      ...(target.tls ? { enableTLSForSentinelMode: true } : {}),
      sentinels: target.nodes.map(({ host, port }) => ({ host, port })),
      name: target.master,
      role: 'master',
      sentinelCommandTimeout: SENTINEL_MS,
      // Between two rounds through all of them; without a pause ioredis would give the client up for good.
      sentinelRetryStrategy: (rounds) => Math.min(50 * rounds, 500),
    });
}

function accessOf({ username, password, tls }: Extract<RedisUrl, { tls: boolean }>): RedisOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}
