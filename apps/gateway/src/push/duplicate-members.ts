/**
 * JSON.parse takes the last of two members of one name and says nothing; another reader of the same bytes may take the first. To find
 * out by reading the text again costs more than JSON.parse itself, so it is counted first: in a text without escapes, every colon is
 * either the one colon of a member or stands in a string. Colons left over belong to members that JSON.parse has dropped.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * RFC 6901 pointer of a member that is there twice; null: every object has each name once.
 * @param value what JSON.parse made of `text`, which is `body` decoded
 * @param members how many members all objects of `value` have together
 */
export function duplicateMember(value: object, members: number, text: string, body: Buffer): string | null {
  // An escape can hide a colon or the likeness of two names.
  if (text.includes('\\u')) return scan(text);
  let surplus = countColons(body) - members;
  if (surplus === 0) return null;
  // Of an ordinary push the times and addresses at the top hold the rest; only then look at every string.
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    if (typeof member === 'string') surplus -= colonsIn(member);
  }
  if (surplus === 0) return null;
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    surplus -= colonsIn(name) + (typeof member === 'object' ? colonsInStrings(member) : 0);
  }
  return surplus === 0 ? null : scan(text);
}

/** Colons among the bytes, four at a time: a third of the cost of one by one. */
function countColons(body: Buffer): number {
  let count = 0;
  let at = 0;
  while (((body.byteOffset + at) & 3) !== 0 && at < body.length) if (body[at++] === COLON) count++;
  const words = new Uint32Array(body.buffer, body.byteOffset + at, (body.length - at) >>> 2);
  for (let k = 0; k < words.length;) {
    // Each byte of `sums` counts one lane and overflows after 255 rounds.
    let sums = 0;
    for (const end = Math.min(words.length, k + 255); k < end; k++) {
      const difference = words[k]! ^ 0x3a3a3a3a;
      // The top bit of each byte that is zero, exactly (no borrow crosses bytes).
      const zeros = ~(((difference & 0x7f7f7f7f) + 0x7f7f7f7f) | difference | 0x7f7f7f7f);
      sums = (sums + (zeros >>> 7)) | 0;
    }
    count += (sums & 255) + ((sums >>> 8) & 255) + ((sums >>> 16) & 255) + (sums >>> 24);
  }
  for (at += words.length * 4; at < body.length; at++) if (body[at] === COLON) count++;
  return count;
}

function colonsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) count++;
  return count;
}

function colonsInStrings(value: unknown): number {
  if (typeof value === 'string') return colonsIn(value);
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += colonsInStrings(item);
  else for (const name in value) count += colonsIn(name) + colonsInStrings((value as Record<string, unknown>)[name]);
  return count;
}

/** An object or array that is being read. */
interface Level {
  /** Names so far; null: an array. */
  readonly names: Set<string> | null;
  /** Pointer of this object or array. */
  readonly pointer: string;
  index: number;
  name: string;
  expectsName: boolean;
}

/** Reads a text that JSON.parse has taken, member by member. */
function scan(text: string): string | null {
  const levels: Level[] = [];
  let level: Level | undefined;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const start = i;
      for (i++; text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++;
      if (level?.expectsName !== true) continue;
      level.name = JSON.parse(text.slice(start, i + 1)) as string;
      level.expectsName = false;
      if (level.names!.has(level.name)) return `${level.pointer}/${escaped(level.name)}`;
      level.names!.add(level.name);
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      const pointer: string =
        level === undefined ? '' : `${level.pointer}/${level.names === null ? level.index : escaped(level.name)}`;
      const isObject = code === OPEN_OBJECT;
      level = { names: isObject ? new Set() : null, pointer, index: 0, name: '', expectsName: isObject };
      levels.push(level);
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      levels.pop();
      level = levels.at(-1);
    } else if (code === COMMA && level !== undefined) {
      if (level.names === null) level.index++;
      else level.expectsName = true;
    }
  }
  return null;
}

function escaped(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}
