import { createHash } from 'node:crypto';
import type { RedisConnection } from '../redis-connection.js';

/**
 * A Lua script that Redis runs atomically. Every script touches one key, so it stays on one node of a cluster. Its
 * source opens with a contract: KEYS, ARGV, returns, and what it leaves alone.
 */
export interface LuaScript {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

/** @throws Error when the contract header is missing, so that a script without one cannot be loaded. */
export function luaScript(name: string, source: string): LuaScript {
  const header = source.trimStart();
  for (const part of ['-- KEYS[1]', '-- ARGV', '-- Returns', '-- Leaves alone']) {
    if (!header.includes(part)) throw new Error(`The Lua script ${name} lacks "${part}" in its contract header.`);
  }
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}

/**
 * Runs `script` on the server that has `key`. The source is sent only when that server does not have it (first use, restart, failover,
 * a slot that moved): to all of them, since in a cluster that moves slots it may be another one a moment later.
 * @throws as `RedisConnection.runOn`
 */
export async function runScript(
  connection: RedisConnection,
  script: LuaScript,
  key: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  const run = (): Promise<unknown> =>
    connection.runOn(key, (client) => client.callBuffer('EVALSHA', script.sha, 1, key, ...args));
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    await Promise.allSettled(
      connection.nodes().map((node) => node.run((client) => client.script('LOAD', script.source))),
    );
    return await run();
  }
}
