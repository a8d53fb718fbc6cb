import { createHash, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { RedisConnection } from '#libs/streams';
import { CACHE } from '../tokens.js';

/** Seconds between the password and the code. */
export const CHALLENGE_SECONDS = 5 * 60;
/** Wrong codes a challenge outlives, and an account in five minutes. */
export const MOST_CODES = 5;

/** Who has given her password and still owes a code. */
export interface Challenged {
  readonly userUuid: string;
  readonly sessionVersion: number;
  /** Of the password that she gave: with another one the challenge is void. */
  readonly passwordMark: string;
}

/** KEYS: the challenge. ARGV: most tries. Answers what is stored, or nothing when it is over. */
const TRY = `
local stored = redis.call('HGET', KEYS[1], 'who')
if not stored then return false end
if redis.call('HINCRBY', KEYS[1], 'tries', 1) > tonumber(ARGV[1]) then
  redis.call('DEL', KEYS[1])
  return false
end
return stored`;

/** KEYS: tries of the account. ARGV: limit, seconds. Answers the seconds to wait, 0: go on; a try that has to wait counts for nothing. */
const BEGIN = `
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return math.max(redis.call('TTL', KEYS[1]), 1) end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 0`;

/**
 * Log-ins between password and code, and how often codes were tried, shared by all replicas. A challenge is a random text that means
 * something here alone: it is no access token and cannot pass for one. When Redis is away nobody logs in.
 */
@Injectable()
export class Challenges {
  constructor(@Inject(CACHE) private readonly cache: RedisConnection) {}

  /** A new challenge, good for five minutes. @throws RedisUnavailableError */
  async give(who: Challenged): Promise<string> {
    const text = `pwc.${randomBytes(32).toString('base64url')}`;
    await this.cache.run((client) =>
      client.multi().hset(keyOf(text), 'who', JSON.stringify(who)).expire(keyOf(text), CHALLENGE_SECONDS).exec(),
    );
    return text;
  }

  /** Counts a try. @returns whose it is; null: there is no such challenge, or it is over */
  async tryOne(text: string): Promise<Challenged | null> {
    const stored = await this.cache.run(
      (client) => client.eval(TRY, 1, keyOf(text), MOST_CODES) as Promise<string | null>,
    );
    return stored === null ? null : (JSON.parse(stored) as Challenged);
  }

  /** It was met: nobody meets it again. */
  async end(text: string): Promise<void> {
    await this.cache.run((client) => client.del(keyOf(text)));
  }

  /** Notes a code that is about to be checked. @returns seconds to wait; 0: it may be */
  beginCode(userUuid: string): Promise<number> {
    return this.cache.run(
      (client) => client.eval(BEGIN, 1, codesKey(userUuid), MOST_CODES, CHALLENGE_SECONDS) as Promise<number>,
    );
  }

  /** The code was right: those before it are forgiven. */
  async codeWasRight(userUuid: string): Promise<void> {
    await this.cache.run((client) => client.del(codesKey(userUuid)));
  }
}

function keyOf(text: string): string {
  return `pw:login:challenge:${createHash('sha256').update(text).digest('base64url')}`;
}

function codesKey(userUuid: string): string {
  return `pw:login:codes:${userUuid}`;
}
