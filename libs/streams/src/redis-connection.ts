import type { Redis } from 'ioredis';
import { RedisUnavailableError } from './failures.js';
import type { StreamsLog } from './observer.js';

/** What a link is for: its time-outs follow from it. */
export type RedisRole = 'streams' | 'cache' | 'blocking';

export interface ConnectRedisOptions {
  /** Shown in CLIENT LIST: `<service>:<purpose>`. */
  readonly name: string;
  /** `blocking` is for one reader that blocks: no fixed command timeout, bound each call through `run`. */
  readonly role: RedisRole;
  /** ms until a command counts as lost; default 2,000 for streams, 500 for the cache; 0: the caller bounds each command. */
  readonly commandTimeoutMs?: number;
  readonly log?: StreamsLog;
  readonly onReplaced?: (reason: string) => void;
}

/** One server, the server that sentinels name, or all masters of a Redis Cluster. */
export interface RedisConnection {
  readonly url: string;
  readonly name: string;
  readonly role: RedisRole;
  /** The live client; another object after a replacement, so never keep it. Commands fail at once while the link is down. In a cluster: of some node. */
  readonly client: Redis;
  /** In a cluster: every link that is in use. */
  readonly isReady: boolean;
  /** Resolves when commands can be sent. @throws RedisUnavailableError after `timeoutMs` (default 10,000). */
  ready(timeoutMs?: number): Promise<void>;
  /**
   * Runs one command within `timeoutMs` (default: the role's). In a cluster on some node, which may name another one by its key.
   * @throws RedisUnavailableError when the link is down or the time is over (the client is then replaced; the command may
   * have run). Redis's own replies of error (NOGROUP, OOM, …) pass through as they are.
   */
  run<T>(command: (client: Redis) => Promise<T>, timeoutMs?: number): Promise<T>;
  /**
   * The same on the server that has `key`. A cluster's MOVED and ASK are followed: they say that nothing was done yet, so nothing is done twice.
   * `command` is called again then, and must send one command only.
   */
  runOn<T>(key: string, command: (client: Redis) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** The server that has `key` as far as is known now; itself, but for a cluster. @throws RedisUnavailableError when no node is known. */
  nodeOf(key: string): RedisConnection;
  /** Every server that keeps a part: the masters of a cluster, else itself. */
  nodes(): readonly RedisConnection[];
  /** Tells what a command answered that was sent on `client` past `run`, so that a client of no use any more is given up. */
  noteFailure(client: Redis, error: unknown): void;
  /** Gives the client up; what was in flight on it rejects. */
  replace(reason: string): void;
  /** Another connection to the same server or servers. */
  sibling(options: Partial<ConnectRedisOptions>): RedisConnection;
  close(): Promise<void>;
}

/** True for an error that comes from the link, or from a server that has no say at the moment, and not from the data. */
export function isLinkError(error: unknown): boolean {
  if (error instanceof RedisUnavailableError) return true;
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') return /^(LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|READONLY)/.test(error.message);
  const code = (error as { code?: unknown }).code;
  return (
    error.name === 'AbortError' ||
    error.name === 'MaxRetriesPerRequestError' ||
    /Command timed out|Connection is closed|isn't writeable|Socket timeout|ETIMEDOUT/.test(error.message) ||
    (typeof code === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_)/.test(code))
  );
}
