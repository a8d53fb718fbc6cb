/**
 * Array literals for parameters of set-based statements (`$1::text[]`). The driver makes them from JavaScript arrays, too,
 * but by two regular expressions an element; a batch of new sites has a hundred thousand.
 */
export function numbers(values: readonly (number | null)[]): string {
  let literal = '{';
  for (let i = 0; i < values.length; i++) literal += (i === 0 ? '' : ',') + (values[i] ?? 'NULL');
  return literal + '}';
}

/** Strings must not hold NUL; everything else is quoted. */
export function texts(values: readonly (string | null)[]): string {
  let literal = '{';
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? null;
    literal += i === 0 ? '' : ',';
    literal += value === null ? 'NULL' : NEEDS_ESCAPE.test(value) ? escaped(value) : `"${value}"`;
  }
  return literal + '}';
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

const NEEDS_ESCAPE = /["\\]/;
const escaped = (value: string): string => `"${value.replace(/["\\]/g, '\\$&')}"`;
