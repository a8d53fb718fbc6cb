import { testRedis, type TestRedis } from '#libs/testing';
import { startUpstream, type Upstream } from '../../../tools/upstream/server.js';
import { limitingProgram } from './limiting-program.js';
import { ownPostgres, type PostgresServer } from './postgres-server.js';
import type { Topology } from './topologies.js';

export interface ServerOptions {
  /** Where the logs of the processes go. */
  readonly folder: string;
  /** Makes what carries the streams instead of one Redis. */
  readonly streams?: () => Promise<Topology>;
  /** The streams' Redis may write no file beyond the blocks that a file `limit` in its folder names, when it is started and finds one. */
  readonly limitedRedis?: boolean;
}

/** What the processes of a platform need beside each other. */
export interface Servers {
  readonly postgres: PostgresServer | null;
  readonly redis: TestRedis;
  readonly cache: TestRedis;
  readonly upstream: Upstream;
  readonly topology: Topology | null;
}

/** Starts them side by side. @throws the first failure, when all that did start is stopped again */
export async function startServers(options: ServerOptions): Promise<Servers> {
  const starting = [
    ownPostgres(),
    testRedis(options.limitedRedis ? { program: limitingProgram(options.folder) } : {}),
    testRedis({ args: ['--appendonly', 'no', '--appendfsync', 'no'] }),
    startUpstream({ port: 0, host: '127.0.0.1' }),
    options.streams?.() ?? Promise.resolve(null),
  ] as const;
  const outcomes = await Promise.allSettled(starting);
  const failed = outcomes.find(({ status }) => status === 'rejected');
  if (failed !== undefined) {
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value?.stop();
    throw (failed as PromiseRejectedResult).reason;
  }
  const [postgres, redis, cache, upstream, topology] = await Promise.all(starting);
  return { postgres, redis, cache, upstream, topology };
}
