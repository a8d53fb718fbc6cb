import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { PoisonMessageError } from '#libs/streams';

/** The gateway admits far less; this bounds what a gzip body written by somebody else may unfold to. */
const LARGEST_BODY_BYTES = 32 * 1024 * 1024;
/** Most bodies unfold to one chunk, which then need not be put together. */
const UNPACKING = { maxOutputLength: LARGEST_BODY_BYTES, chunkSize: 64 * 1024 };

/** Raised when `readInventory` reads the same text differently: what was unchanged by the old reading may be changed by the new one. */
const READING = '1';

/** What differs from push to push although the site is the same. None of it is read from the body: the gateway has put it into the facts. */
const VOLATILE = ['"sequence"', '"collected_at"', '"push_id"', '"trigger"'].map((name) => Buffer.from(name));

/** They stand before or after the list of modules; elsewhere they are not found, which costs the parsing and nothing else. */
const SEARCHED_BYTES = 2_048;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body of a push as text, with a name for what it says. */
export interface PushText {
  readonly text: string;
  /** Equal fingerprints mean equal inventories, so that most unchanged pushes need not be parsed. Unequal ones mean nothing. */
  readonly fingerprint: string;
}

/** @throws PoisonMessageError `undecodable_body` */
export function unpackBody(body: Buffer, encoding: 'identity' | 'gzip'): PushText {
  try {
    const bytes = encoding === 'gzip' ? gunzipSync(body, UNPACKING) : body;
    return { text: utf8.decode(bytes), fingerprint: fingerprintOf(bytes) };
  } catch (error) {
    throw new PoisonMessageError(
      'undecodable_body',
      `The body is not ${encoding === 'gzip' ? 'gzip of UTF-8' : 'UTF-8'}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** After the name a colon, and a number or a string without escapes. */
const SIMPLE_VALUE = /^\s*:\s*(?:"[^"\\]*"|[-+.0-9eE]+)/;
/** More than any of the values needs. */
const LONGEST_VALUE = 100;
const BACKSLASH = 0x5c;

/**
 * Hash of the body without the first pair of each volatile name. In JSON such a name between plain quotes and before a colon is a
 * member's name wherever it stands, and no member of that name is read; so bodies that are equal without it say the same.
 */
function fingerprintOf(bytes: Buffer): string {
  const cuts: [from: number, to: number][] = [];
  for (const name of VOLATILE) {
    const from = placeOf(name, bytes);
    if (from < 0 || bytes[from - 1] === BACKSLASH) continue;
    const end = from + name.length;
    const value = SIMPLE_VALUE.exec(bytes.toString('latin1', end, end + LONGEST_VALUE));
    if (value !== null) cuts.push([from, end + value[0].length]);
  }
  const hash = createHash('sha256').update(READING);
  let at = 0;
  for (const [from, to] of cuts.sort((a, b) => a[0] - b[0])) {
    hash.update(bytes.subarray(at, from));
    at = to;
  }
  return hash.update(bytes.subarray(at)).digest('base64');
}

function placeOf(name: Buffer, bytes: Buffer): number {
  const place = bytes.subarray(0, SEARCHED_BYTES).indexOf(name);
  if (place >= 0 || bytes.length <= SEARCHED_BYTES) return place;
  const start = Math.max(bytes.length - SEARCHED_BYTES, 0);
  const behind = bytes.subarray(start).indexOf(name);
  return behind < 0 ? -1 : start + behind;
}
