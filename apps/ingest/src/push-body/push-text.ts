import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { PoisonMessageError } from '#libs/streams';

/** The gateway admits far less; this bounds what a gzip body written by somebody else may unfold to. */
const LARGEST_BODY_BYTES = 32 * 1024 * 1024;

/** Raised when `readInventory` reads the same text differently: what was unchanged by the old reading may be changed by the new one. */
const READING = '1';

/** What differs from push to push although the site is the same. None of it is read from the body: the gateway has put it into the facts. */
const VOLATILE = ['sequence', 'collected_at', 'push_id', 'trigger'];

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body of a push as text, with a name for what it says. */
export interface PushText {
  readonly text: string;
  /** Equal fingerprints mean equal inventories, so that most unchanged pushes need not be parsed. Unequal ones mean nothing. */
  readonly fingerprint: string;
}

/** @throws PoisonMessageError `undecodable_body` */
export function unpackBody(body: Buffer, encoding: 'identity' | 'gzip'): PushText {
  const text = readText(body, encoding);
  return { text, fingerprint: createHash('sha256').update(READING).update(withoutVolatile(text)).digest('base64') };
}

function readText(body: Buffer, encoding: 'identity' | 'gzip'): string {
  try {
    return utf8.decode(encoding === 'gzip' ? gunzipSync(body, { maxOutputLength: LARGEST_BODY_BYTES }) : body);
  } catch (error) {
    throw new PoisonMessageError(
      'undecodable_body',
      `The body is not ${encoding === 'gzip' ? 'gzip of UTF-8' : 'UTF-8'}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** A number or a string without escapes, after the name and its colon. */
const SIMPLE_VALUE = /\s*:\s*(?:"[^"\\]*"|[-+.0-9eE]+)/y;

/**
 * `text` without the first pair of each volatile name. In JSON such a name between plain quotes and before a colon is a member's
 * name wherever it stands, and no member of that name is read; so texts that are equal without it say the same.
 */
function withoutVolatile(text: string): string {
  const cuts: [from: number, to: number][] = [];
  for (const name of VOLATILE) {
    const from = text.indexOf(`"${name}"`);
    if (from < 0 || text[from - 1] === '\\') continue;
    SIMPLE_VALUE.lastIndex = from + name.length + 2;
    if (SIMPLE_VALUE.test(text)) cuts.push([from, SIMPLE_VALUE.lastIndex]);
  }
  let rest = '';
  let at = 0;
  for (const [from, to] of cuts.sort((a, b) => a[0] - b[0])) {
    rest += text.slice(at, from);
    at = to;
  }
  return rest + text.slice(at);
}
