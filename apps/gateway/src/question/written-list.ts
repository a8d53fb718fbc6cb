import { WrittenJson } from '../http/answer.js';

/** A page of a list, its rows written already. */
export interface WrittenList {
  readonly items: WrittenJson;
  readonly total: number;
  /** RFC 3339. */
  readonly asOf: string;
}

interface List {
  readonly items: readonly unknown[];
  readonly meta: { readonly total: number; readonly as_of: string };
}

/** Writes the rows of a list. */
export function writtenList({ items, meta }: List): WrittenList {
  return { items: new WrittenJson(JSON.stringify(items)), total: meta.total, asOf: meta.as_of };
}
