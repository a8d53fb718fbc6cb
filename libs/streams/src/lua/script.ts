import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

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

/** Runs `script` on `key`; sends the source only when the server does not have it (first use, restart, failover). */
export async function runScript(
  client: Redis,
  script: LuaScript,
  key: string,
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.callBuffer('EVALSHA', script.sha, 1, key, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return await client.callBuffer('EVAL', script.source, 1, key, ...args);
  }
}
