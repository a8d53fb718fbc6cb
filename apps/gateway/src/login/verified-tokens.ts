import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { CLOCK_TOLERANCE_SECONDS, claimsOf, type AccessClaims, type VerifiedToken } from './access-token.js';

/** About a kilobyte each. */
const MOST_TOKENS = 10_000;

interface Verified {
  readonly claims: AccessClaims;
  /** Unix time in seconds, as in the token. */
  readonly notBefore: number;
  readonly expiresAt: number;
}

/**
 * Access tokens that were verified, so that one that comes with request after request is not verified with each: it signs the same bytes by the same
 * key every time. Its times are looked at anew, as its verifier would. Who stands behind it is not kept here, and is asked each time.
 */
export class VerifiedTokens {
  /** By the digest of the whole token: none can be read here, and nothing about one is learned from how long a look takes. */
  private readonly tokens: LRUCache<string, Verified>;

  constructor(most = MOST_TOKENS) {
    this.tokens = new LRUCache({ max: most });
  }

  /** The claims of a token that was kept; null: it was not, or is not good at `now`. */
  find(token: string, now: Date): AccessClaims | null {
    const verified = this.tokens.get(digestOf(token));
    if (verified === undefined) return null;
    const seconds = Math.floor(now.getTime() / 1000);
    const isGood =
      seconds < verified.expiresAt + CLOCK_TOLERANCE_SECONDS && verified.notBefore <= seconds + CLOCK_TOLERANCE_SECONDS;
    return isGood ? verified.claims : null;
  }

  /** Keeps what a verifier has just found good. @returns its claims; null when they are not as ours are, and nothing is kept */
  keep(token: string, verified: VerifiedToken): AccessClaims | null {
    const claims = claimsOf(verified);
    if (claims === null) return null;
    const { nbf, exp } = verified.payload as { readonly nbf: number; readonly exp: number };
    this.tokens.set(digestOf(token), { claims, notBefore: nbf, expiresAt: exp });
    return claims;
  }
}

function digestOf(token: string): string {
  return hash('sha256', token, 'base64url');
}
