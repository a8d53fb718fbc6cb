/** Exposures of some sites in columns, ordered by site and opening: half a million of them are walked in milliseconds. */
export interface ExposureColumns {
  readonly length: number;
  readonly siteIds: Int32Array;
  readonly causeIds: Int32Array;
  /** Milliseconds since 1970. */
  readonly openedAt: Float64Array;
  /** Infinity: it stands. */
  readonly closedAt: Float64Array;
  readonly kinds: Uint8Array;
  readonly greatestCause: number;
}

/** What an exposure is, as far as the figures tell them apart. */
export const KIND = { open: 0, unknown: 1, patched: 2, endedOtherwise: 3 } as const;

/** One exposure as the database gives it. */
export interface ExposureFact {
  readonly siteId: number;
  readonly causeId: number;
  readonly openedAt: number;
  readonly closedAt: number | null;
  readonly state: string;
  readonly reason: string | null;
}

/** @param facts ordered by site and opening */
export function columnsOf(facts: readonly ExposureFact[]): ExposureColumns {
  const columns: ExposureColumns = {
    length: facts.length,
    siteIds: new Int32Array(facts.length),
    causeIds: new Int32Array(facts.length),
    openedAt: new Float64Array(facts.length),
    closedAt: new Float64Array(facts.length),
    kinds: new Uint8Array(facts.length),
    greatestCause: facts.reduce((greatest, { causeId }) => Math.max(greatest, causeId), 0),
  };
  for (const [row, fact] of facts.entries()) {
    columns.siteIds[row] = fact.siteId;
    columns.causeIds[row] = fact.causeId;
    columns.openedAt[row] = fact.openedAt;
    columns.closedAt[row] = fact.closedAt ?? Infinity;
    columns.kinds[row] = kindOf(fact);
  }
  return columns;
}

function kindOf({ state, reason }: ExposureFact): number {
  if (state === 'open') return KIND.open;
  if (state === 'unknown') return KIND.unknown;
  return reason === 'patched' ? KIND.patched : KIND.endedOtherwise;
}
