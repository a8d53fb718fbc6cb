export const TOKEN_ISSUER = 'patchwatch';
export const TOKEN_AUDIENCE = 'patchwatch-api';
/** RFC 9068: no other kind of token of ours, present or future, can pass for an access token. */
export const TOKEN_TYPE = 'at+jwt';
export const TOKEN_LIFETIME_SECONDS = 15 * 60;
/** Clocks of two of our machines may differ by so much. */
export const CLOCK_TOLERANCE_SECONDS = 5;
/** The one algorithm. */
export const TOKEN_ALGORITHM = 'HS256';

export interface AccessClaims {
  /** The user's UUID. */
  readonly sub: string;
  /** The user's session version: a token of an older one is void. */
  readonly sv: number;
  /** UUID of the session that it was given in: with its end the token is void. */
  readonly sid: string;
}

/** A token as its verifier hands it over: signature, algorithm, issuer, audience and times are right. */
export interface VerifiedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: unknown;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** Header members by which a forger would bring a key, or ask for an understanding that we do not have. `kid` names one of ours, or nothing. */
const FOREIGN_HEADERS = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];

/** The claims; null when what the verifier does not look at is not as ours are: type, header, presence of times, length of life. */
export function claimsOf({ header, payload }: VerifiedToken): AccessClaims | null {
  if (typeof payload !== 'object' || payload === null || header.typ !== TOKEN_TYPE) return null;
  if (FOREIGN_HEADERS.some((name) => name in header)) return null;
  const { sub, sv, sid, exp, nbf, iat } = payload as Record<string, unknown>;
  if (typeof exp !== 'number' || typeof nbf !== 'number' || typeof iat !== 'number') return null;
  if (exp - iat > TOKEN_LIFETIME_SECONDS) return null;
  if (typeof sub !== 'string' || !UUID.test(sub) || typeof sv !== 'number') return null;
  if (typeof sid !== 'string' || !UUID.test(sid)) return null;
  return { sub, sv, sid };
}
