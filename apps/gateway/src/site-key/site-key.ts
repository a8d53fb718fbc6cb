import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { KeyKind } from './api-key.entity.js';

/**
 * The form of an API key: `pw_<kind>_<8 public>_<32 secret><6 checksum>`, all base62. The public part names the key, the
 * secret has 190 random bits, the checksum (CRC-32 of all before it) lets a typing error, and most floods of invented
 * keys, be refused without a look at the database. It authorises nothing. `docs/errors.md` publishes the pattern for scanners.
 */
export const SITE_KEY_PATTERN = /^pw_(site|integration|enrolment)_([0-9A-Za-z]{8})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_LENGTH = 6;
const PUBLIC_LENGTH = 8;
const SECRET_LENGTH = 32;
/** `pw_integration_` and the rest. */
const LONGEST = 15 + PUBLIC_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH;

export interface NewKey {
  /** The whole key: shown once. */
  readonly text: string;
  readonly publicId: string;
  readonly secretHash: Buffer;
}

/** A new random key. */
export function newKey(kind: KeyKind): NewKey {
  const publicId = randomText(PUBLIC_LENGTH);
  const body = `pw_${kind}_${publicId}_${randomText(SECRET_LENGTH)}`;
  const text = body + checksum(body);
  return { text, publicId, secretHash: hashOfKey(text) };
}

/** The public id of a well-formed site key with a right checksum; null for everything else. Never throws. */
export function publicIdOfSiteKey(text: string): string | null {
  // 'pw_site_' + 8 + '_' + 32 + 6. Length and prefix first: a flood of nonsense costs nothing.
  if (text.length !== 55 || !text.startsWith('pw_site_')) return null;
  if (!SITE_KEY_PATTERN.test(text)) return null;
  const end = text.length - CHECKSUM_LENGTH;
  if (checksum(text.slice(0, end)) !== text.slice(end)) return null;
  return text.slice(8, 8 + PUBLIC_LENGTH);
}

/** As `publicIdOfSiteKey`, for a key of any kind. */
export function publicIdOfKey(kind: KeyKind, text: string): string | null {
  const match = text.length > LONGEST ? null : SITE_KEY_PATTERN.exec(text);
  if (match === null || match[1] !== kind) return null;
  const end = text.length - CHECKSUM_LENGTH;
  return checksum(text.slice(0, end)) === text.slice(end) ? match[2]! : null;
}

/** SHA-256 of the whole key. */
export function hashOfKey(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** Compares in constant time. */
export function isKeyOf(secretHash: Buffer, text: string): boolean {
  return timingSafeEqual(secretHash, hashOfKey(text));
}

/** CRC-32 in six base62 digits. */
function checksum(body: string): string {
  let value = crc32(body);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = ALPHABET[value % 62]! + digits;
    value = Math.floor(value / 62);
  }
  return digits;
}

/** `length` characters, each equally likely: bytes of 248 and more would favour the first eight and are thrown away. */
function randomText(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62]!;
    }
  }
  return text;
}
