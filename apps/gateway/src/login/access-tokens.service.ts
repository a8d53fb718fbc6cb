import { createSecretKey, hash, randomUUID, type KeyObject } from 'node:crypto';
import { JwtService } from '@nestjs/jwt';
import {
  TOKEN_ALGORITHM,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  TOKEN_LIFETIME_SECONDS,
  TOKEN_TYPE,
  type AccessClaims,
} from './access-token.js';

/** Names the key made of a secret; tells nothing of it. */
export function keyIdOf(secret: string): string {
  return hash('sha256', `patchwatch key id ${secret}`, 'base64url').slice(0, 12);
}

/**
 * Signs access tokens, and has the keys by which they are checked: the one that signs, and while secrets are changed the one before (S33). Each token
 * names its key among these; what names another, or none, is not looked at.
 */
export class AccessTokens {
  private readonly keys: ReadonlyMap<string, KeyObject>;
  private readonly keyId: string;
  private readonly jwt: JwtService;

  /** @param previous what was the secret until a short while ago, or null */
  constructor(secret: string, previous: string | null = null) {
    this.keyId = keyIdOf(secret);
    // KeyObjects: with a string every check would prepare the key anew (280 µs instead of 6).
    this.keys = new Map(
      [secret, ...(previous === null ? [] : [previous])].map((text) => [
        keyIdOf(text),
        createSecretKey(Buffer.from(text, 'utf8')),
      ]),
    );
    this.jwt = new JwtService({ secret: this.keys.get(this.keyId)! });
  }

  /** The key that a token names in its header; null: it names none of ours, or is no token. */
  keyOf(token: string): KeyObject | null {
    try {
      const header = JSON.parse(Buffer.from(token.split('.', 1)[0]!, 'base64url').toString('utf8')) as {
        kid?: unknown;
      };
      return typeof header.kid === 'string' ? (this.keys.get(header.kid) ?? null) : null;
    } catch {
      return null;
    }
  }

  /** A token for `claims`, good from `now` for 15 minutes. */
  sign(claims: AccessClaims, now: Date): string {
    const seconds = Math.floor(now.getTime() / 1000);
    return this.jwt.sign(
      {
        ...claims,
        iss: TOKEN_ISSUER,
        aud: TOKEN_AUDIENCE,
        iat: seconds,
        nbf: seconds,
        exp: seconds + TOKEN_LIFETIME_SECONDS,
        jti: randomUUID(),
      },
      { algorithm: TOKEN_ALGORITHM, header: { alg: TOKEN_ALGORITHM, typ: TOKEN_TYPE, kid: this.keyId } },
    );
  }
}
