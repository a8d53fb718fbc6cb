import { createHmac, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** A refresh token of ours: nobody else could have made it. Whether it is still good, the session knows. */
export interface RefreshToken {
  readonly text: string;
  readonly sessionUuid: string;
  /** SHA-256 of its secret: what is stored. */
  readonly hash: Buffer;
}

const FORM = /^pwr\.([0-9a-f]{32})\.([\w-]{43})\.([\w-]{22})$/;

/**
 * Makes and reads refresh tokens: `pwr.<session>.<256 bit secret>.<tag>`. The first secret of a session is random; each successor is
 * an HMAC of its predecessor, so that the same token, sent twice at once, gets the same successor (two tabs do not log each other out)
 * although only hashes are stored. The tag tells a token that we once gave from an invented one: an old one ends its session, an
 * invented one ends nothing and reads nothing.
 */
export class RefreshTokens {
  /** The one that makes tokens, and the one before it, if there is one. */
  private readonly keys: readonly Buffer[];

  /**
   * @param secret the one of the access tokens; the key here is derived from it and is another
   * @param previous what was the secret until a short while ago, or null: its tokens are read, and their successors are of the new one
   */
  constructor(secret: string, previous: string | null = null) {
    this.keys = [secret, ...(previous === null ? [] : [previous])].map((text) =>
      Buffer.from(hkdfSync('sha256', text, '', 'patchwatch refresh tokens', 32)),
    );
  }

  first(sessionUuid: string): RefreshToken {
    return this.make(sessionUuid.replaceAll('-', ''), randomBytes(32));
  }

  /**
   * Always the same for the same token: by the key that made it, so that replicas that know the secrets in another order give the same successor. They tag it
   * each by its own first one, though, and so its successors differ again: the one that the session has already is the one to give.
   * @param current hash of the token that the session has by now; null: it is this one
   */
  next(token: RefreshToken, current: Buffer | null): RefreshToken {
    const [, session, secret, tag] = FORM.exec(token.text)!;
    const maker = this.keyOfTag(session!, secret!, tag!)!;
    const successors = [maker, ...this.keys].map((key) => this.make(session!, mac(key, 'next', session!, secret!)));
    return successors.find(({ hash }) => current?.equals(hash)) ?? successors[0]!;
  }

  /** The token, when it is one that we made; null for everything else. */
  read(text: string): RefreshToken | null {
    const [, session, secret, tag] = FORM.exec(text) ?? [];
    if (session === undefined || secret === undefined || tag === undefined) return null;
    if (this.keyOfTag(session, secret, tag) === null) return null;
    return { text, sessionUuid: toUuid(session), hash: hash('sha256', secret, 'buffer') };
  }

  private make(session: string, secretBytes: Buffer): RefreshToken {
    const secret = secretBytes.toString('base64url');
    return {
      text: `pwr.${session}.${secret}.${tagOf(this.keys[0]!, session, secret)}`,
      sessionUuid: toUuid(session),
      hash: hash('sha256', secret, 'buffer'),
    };
  }

  private keyOfTag(session: string, secret: string, tag: string): Buffer | null {
    return this.keys.find((key) => timingSafeEqual(Buffer.from(tag), Buffer.from(tagOf(key, session, secret)))) ?? null;
  }
}

function tagOf(key: Buffer, session: string, secret: string): string {
  return mac(key, 'tag', session, secret).subarray(0, 16).toString('base64url');
}

function mac(key: Buffer, use: string, session: string, secret: string): Buffer {
  return createHmac('sha256', key).update(`${use}.${session}.${secret}`).digest();
}

function toUuid(session: string): string {
  return session.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
