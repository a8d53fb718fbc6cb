/** What a list was asked to be sorted by. */
export interface Sorting {
  readonly field: string;
  readonly descending: boolean;
}

/** The list cannot be sorted so. Carries what a caller across the wire may know. */
export class UnknownSortError extends Error {
  readonly code = 'invalid_sort';
  readonly status = 400;

  constructor(sort: string, allowed: readonly string[]) {
    super(`Cannot sort by "${sort}". Allowed, each also with a leading "-": ${allowed.join(', ')}.`);
    this.name = UnknownSortError.name;
  }
}

/**
 * Reads `field` or `-field`.
 * @throws UnknownSortError for anything but the allowed fields
 */
export function sortingOf(sort: string | undefined, allowed: readonly string[], fallback: string): Sorting {
  const asked = sort ?? fallback;
  const descending = asked.startsWith('-');
  const field = descending ? asked.slice(1) : asked;
  if (!allowed.includes(field)) throw new UnknownSortError(asked, allowed);
  return { field, descending };
}

/**
 * ORDER BY of one expression with a tie-breaker, what is missing always last.
 * @param neverMissing says that there is nothing to put last; only then an index of that order can be used
 */
export function orderBy(expression: string, { descending }: Sorting, tieBreaker: string, neverMissing = false): string {
  const direction = descending ? 'DESC' : 'ASC';
  return `ORDER BY ${expression} ${direction}${neverMissing ? '' : ' NULLS LAST'}, ${tieBreaker} ${direction}`;
}
