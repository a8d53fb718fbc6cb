import { InvalidCursorError } from '../reading/invalid-cursor.js';
import type { Sorting } from '../reading/sorting.js';

/** The last row of a page, by which the next one begins. */
export interface ExposureCursor {
  readonly sort: Sorting;
  /** Value of the sorted column, as the database writes it. */
  readonly key: string;
  readonly id: number;
}

/** Opaque text for `after`. */
export function encodeCursor({ sort, key, id }: ExposureCursor): string {
  return Buffer.from(JSON.stringify([sort.field, sort.descending, key, id])).toString('base64url');
}

/** @throws InvalidCursorError when it is none, or was made for another sort */
export function decodeCursor(text: string, sort: Sorting): ExposureCursor {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw new InvalidCursorError();
  }
  if (!Array.isArray(content) || content.length !== 4) throw new InvalidCursorError();
  const [field, descending, key, id] = content as unknown[];
  const fits = field === sort.field && descending === sort.descending;
  if (!fits || typeof key !== 'string' || Number.isNaN(Date.parse(key)) || !Number.isSafeInteger(id))
    throw new InvalidCursorError();
  return { sort, key, id: id as number };
}
