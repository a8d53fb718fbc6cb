/**
 * Array literals for parameters of set-based statements (`$1::text[]`). The driver makes them from JavaScript arrays, too,
 * but by two regular expressions an element; a batch of new sites has a hundred thousand. `join` makes one text of them at once.
 */
export function numbers(values: readonly (number | null)[]): string {
  return values.includes(null) ? `{${values.map((value) => value ?? 'NULL').join(',')}}` : `{${values.join(',')}}`;
}

/** Strings must not hold NUL. */
export function texts(values: readonly (string | null)[]): string {
  if (values.length === 0) return '{}';
  const plain = `{"${values.join('","')}"}`;
  // Two quotes a value, and no escape: then nothing in it can be mistaken.
  if (!values.includes(null) && !plain.includes('\\') && !hasMoreQuotes(plain, values.length * 2)) return plain;
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`;
}

function hasMoreQuotes(text: string, expected: number): boolean {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count > expected;
}

export function booleans(values: readonly (boolean | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : value ? 't' : 'f')).join(',')}}`;
}

/** @param values milliseconds since 1970. */
export function instants(values: readonly (number | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${new Date(value).toISOString()}"`)).join(',')}}`;
}

/** Buffers as one parameter with the places of the parts in it: `substring($1 FROM offset FOR length)`; offsets count from 1. */
export function joinedBuffers(parts: readonly Uint8Array[]): { bytes: Buffer; offsets: string; lengths: string } {
  const offsets: number[] = [];
  let offset = 1;
  for (const part of parts) {
    offsets.push(offset);
    offset += part.byteLength;
  }
  return {
    bytes: Buffer.concat(parts),
    offsets: numbers(offsets),
    lengths: numbers(parts.map((part) => part.byteLength)),
  };
}
