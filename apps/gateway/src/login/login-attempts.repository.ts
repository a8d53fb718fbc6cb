import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { RedisConnection } from '#libs/streams';
import { CACHE } from '../tokens.js';
import { networkOf } from './network.js';

/** Failures one account may have from one network before it is locked there. */
export const MOST_FAILURES = 5;
export const LOCK_SECONDS = 5 * 60;
/** Failures one account may have from everywhere together, or from one device that is known for it (S11). */
export const MOST_EVERYWHERE = 100;
const EVERYWHERE_SECONDS = 24 * 3600;
/** Attempts of any kind from one network: spraying one password over many accounts ends here. */
const MOST_PER_NETWORK = 30;
const NETWORK_SECONDS = 60;

/**
 * Counts an attempt before its outcome is known, so that parallel guesses count too.
 * KEYS: attempts of (account, network); of the network; of the account everywhere or from a device known for it. ARGV: limit and seconds of each.
 * Answers the seconds to wait, 0: go on. An attempt that has to wait counts for nothing.
 */
const BEGIN = `
for i = 1, 3 do
  if tonumber(redis.call('GET', KEYS[i]) or '0') >= tonumber(ARGV[i * 2 - 1]) then
    return math.max(redis.call('TTL', KEYS[i]), 1)
  end
end
for i = 1, 3 do
  if redis.call('INCR', KEYS[i]) == 1 then redis.call('EXPIRE', KEYS[i], ARGV[i * 2]) end
end
return 0`;

/** KEYS: attempts of (account, network); those everywhere. Takes back the one that was right. Answers the failures before it. */
const SUCCEED = `
local tried = tonumber(redis.call('GET', KEYS[1]) or '0')
redis.call('DEL', KEYS[1])
if tonumber(redis.call('GET', KEYS[2]) or '0') > 0 then redis.call('DECR', KEYS[2]) end
return math.max(tried - 1, 0)`;

/** Log-in attempts, shared by all replicas. When Redis is away nobody can log in: that is the safe side. */
@Injectable()
export class LoginAttemptsRepository {
  constructor(@Inject(CACHE) private readonly cache: RedisConnection) {}

  /**
   * Notes an attempt. Whoever comes from a device known for the account is not held back by what others try elsewhere.
   * @param device of which it is known, or null
   * @returns seconds to wait; 0: it may be made.
   * @throws RedisUnavailableError
   */
  begin(email: string, address: string, device: string | null): Promise<number> {
    const network = networkOf(address);
    return this.cache.run(
      (client) =>
        client.eval(
          BEGIN,
          3,
          accountKey(email, network),
          `pw:login:network:${network}`,
          everywhereKey(email, device),
          MOST_FAILURES,
          LOCK_SECONDS,
          MOST_PER_NETWORK,
          NETWORK_SECONDS,
          MOST_EVERYWHERE,
          EVERYWHERE_SECONDS,
        ) as Promise<number>,
    );
  }

  /**
   * The attempt was right: it was no failure, and those before it from there are forgiven, for this account only.
   * @returns how many those were
   */
  succeeded(email: string, address: string, device: string | null): Promise<number> {
    const keys = [accountKey(email, networkOf(address)), everywhereKey(email, device)];
    return this.cache.run((client) => client.eval(SUCCEED, 2, ...keys) as Promise<number>);
  }
}

function accountKey(email: string, network: string): string {
  return `pw:login:account:${hashed(email)}:${network}`;
}

function everywhereKey(email: string, device: string | null): string {
  return `pw:login:everywhere:${hashed(email)}${device === null ? '' : `:${device}`}`;
}

/** What people type into the field of the e-mail address is sometimes their password. */
function hashed(email: string): string {
  return createHash('sha256').update(email.toLowerCase()).digest('base64url');
}
