import { InvalidCursorError } from './invalid-cursor.js';
import type { Sorting } from './sorting.js';

/** What a list is sorted by; null is missing and always last. */
export type SortValue = string | number | null;

/** How the rows of a list that lies in memory are told apart and ordered. */
export interface Ordering<T> {
  readonly sorting: Sorting;
  readonly valueOf: (row: T) => SortValue;
  /** Unique in the list. */
  readonly idOf: (row: T) => string;
}

export interface AskedPage {
  readonly page: number;
  readonly per_page: number;
  /** Of the page before; then `page` does not count. */
  readonly after?: string;
}

/**
 * One page of rows that lie in memory, how many there are, and the cursor of the next page.
 * @throws InvalidCursorError for a cursor that was not made by this list for this sort
 */
export function pageOf<T>(
  rows: readonly T[],
  ordering: Ordering<T>,
  asked: AskedPage,
): { items: T[]; total: number; next: string | null } {
  const { sorting, valueOf, idOf } = ordering;
  const sign = sorting.descending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, value: valueOf(row), id: idOf(row) }));
  const order = (a: Key, b: Key): number => compareKeys(a, b, sign);
  keyed.sort(order);
  let start = (asked.page - 1) * asked.per_page;
  if (asked.after !== undefined) {
    const after = decode(asked.after, sorting);
    const following = keyed.findIndex((key) => order(key, after) > 0);
    start = following < 0 ? keyed.length : following;
  }
  const items = keyed.slice(start, start + asked.per_page);
  const last = start + asked.per_page < keyed.length ? items.at(-1) : undefined;
  return { items: items.map(({ row }) => row), total: rows.length, next: last ? encode(last, sorting) : null };
}

interface Key {
  readonly value: SortValue;
  readonly id: string;
}

function compareKeys(a: Key, b: Key, sign: number): number {
  if (a.value === null || b.value === null) {
    const missing = Number(a.value === null) - Number(b.value === null);
    if (missing !== 0) return missing;
  } else if (a.value !== b.value) return a.value < b.value ? -sign : sign;
  return a.id === b.id ? 0 : a.id < b.id ? -sign : sign;
}

function encode({ value, id }: Key, { field, descending }: Sorting): string {
  return Buffer.from(JSON.stringify([field, descending, value, id])).toString('base64url');
}

function decode(text: string, { field, descending }: Sorting): Key {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw new InvalidCursorError();
  }
  if (!Array.isArray(content) || content.length !== 4) throw new InvalidCursorError();
  const [ofField, ofDirection, value, id] = content as unknown[];
  const isValue = value === null || typeof value === 'string' || typeof value === 'number';
  if (ofField !== field || ofDirection !== descending || !isValue || typeof id !== 'string')
    throw new InvalidCursorError();
  return { value, id };
}
