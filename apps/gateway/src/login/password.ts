import { createHmac } from 'node:crypto';

/**
 * How passwords are kept: `pw1$<bcrypt>`, bcrypt of base64(HMAC-SHA-384(password, pepper)). bcrypt reads 72 bytes and stops
 * at a NUL; the HMAC's base64 is 64 printable characters whatever the password is, so that every character of it counts.
 * The pepper lies outside the database. The tag lets another scheme follow.
 */
export const SCHEME = 'pw1';

/** bcrypt's cost for new hashes: a log-in takes about a quarter of a second of one core. */
export const COST = 12;

/** What bcrypt gets to see. */
export function prehash(password: string, pepper: string): string {
  return createHmac('sha384', pepper).update(password, 'utf8').digest('base64');
}

export interface StoredHash {
  readonly bcrypt: string;
  readonly cost: number;
}

/** Reads a stored hash; null when its scheme is not known. */
export function readStoredHash(text: string): StoredHash | null {
  const match = /^pw1\$(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})$/.exec(text);
  return match === null ? null : { bcrypt: match[1]!, cost: Number(match[2]) };
}

/** How a bcrypt hash is stored. */
export function storedHash(bcrypt: string): string {
  return `${SCHEME}$${bcrypt}`;
}

/** The tag or the cost is not what new hashes have: hash again at the next log-in. */
export function needsRehash(text: string, cost: number): boolean {
  const stored = readStoredHash(text);
  return stored === null || stored.cost < cost;
}
