import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { RedisConnection } from '#libs/streams';
import { CACHE } from '../tokens.js';
import { networkOf } from './network.js';

/** Failures one account may have from one network before it is locked there. */
export const MOST_FAILURES = 5;
export const LOCK_SECONDS = 5 * 60;
/** Attempts of any kind from one network: spraying one password over many accounts ends here. */
const MOST_PER_NETWORK = 30;
const NETWORK_SECONDS = 60;

/**
 * Counts an attempt before its outcome is known, so that parallel guesses count too.
 * KEYS: attempts of (account, network); attempts of the network. ARGV: limit and seconds of each.
 * Answers the seconds to wait, 0: go on. An attempt that has to wait counts for nothing.
 */
const BEGIN = `
for i = 1, 2 do
  if tonumber(redis.call('GET', KEYS[i]) or '0') >= tonumber(ARGV[i * 2 - 1]) then
    return math.max(redis.call('TTL', KEYS[i]), 1)
  end
end
for i = 1, 2 do
  if redis.call('INCR', KEYS[i]) == 1 then redis.call('EXPIRE', KEYS[i], ARGV[i * 2]) end
end
return 0`;

/** Log-in attempts, shared by all replicas. When Redis is away nobody can log in: that is the safe side. */
@Injectable()
export class LoginAttemptsRepository {
  constructor(@Inject(CACHE) private readonly cache: RedisConnection) {}

  /**
   * Notes an attempt. @returns seconds to wait; 0: it may be made.
   * @throws RedisUnavailableError
   */
  begin(email: string, address: string): Promise<number> {
    const network = networkOf(address);
    return this.cache.run(
      (client) =>
        client.eval(
          BEGIN,
          2,
          accountKey(email, network),
          `pw:login:network:${network}`,
          MOST_FAILURES,
          LOCK_SECONDS,
          MOST_PER_NETWORK,
          NETWORK_SECONDS,
        ) as Promise<number>,
    );
  }

  /** The attempt was right: it was no failure, and those before it are forgiven, here and for this account only. */
  async succeeded(email: string, address: string): Promise<void> {
    await this.cache.run((client) => client.del(accountKey(email, networkOf(address))));
  }
}

function accountKey(email: string, network: string): string {
  // Hashed: what people type into the field of the e-mail address is sometimes their password.
  return `pw:login:account:${createHash('sha256').update(email.toLowerCase()).digest('base64url')}:${network}`;
}
