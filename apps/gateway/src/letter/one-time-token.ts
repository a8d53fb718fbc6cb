import { hash, randomBytes } from 'node:crypto';

/** A secret that a mail carries: 256 random bits. Only its hash is stored; a fast one is right for so many bits. */
export interface OneTimeToken {
  readonly text: string;
  readonly hash: Buffer;
}

/** @param kind three letters that tell what it is for: a token of one kind is none of another */
export function newOneTimeToken(kind: 'pwi' | 'pwp'): OneTimeToken {
  const text = `${kind}.${randomBytes(32).toString('base64url')}`;
  return { text, hash: hashOfToken(text) };
}

export function hashOfToken(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
