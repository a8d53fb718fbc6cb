import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of what is sealed: lets another form follow. */
const FORM = 1;

/** The key of seeds, from the pepper: it lies outside the database. */
export function sealingKey(pepper: string): Buffer {
  return Buffer.from(hkdfSync('sha256', pepper, '', 'patchwatch second factors', 32));
}

/** Encrypts `text` for one owner: put into the row of another it cannot be opened. */
export function seal(key: Buffer, text: string, owner: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(owner));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(FORM), nonce, cipher.getAuthTag(), body]);
}

/** @throws Error when it was sealed with another key, for another owner, or was changed */
export function open(key: Buffer, sealed: Buffer, owner: string): string {
  if (sealed[0] !== FORM) throw new Error('sealed in a form that is not known');
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const tag = sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(owner));
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString(
    'utf8',
  );
}
