/** How many sites run one version, and on how many of them an exposure of the module stands open, or none does and one cannot be judged. */
export interface VersionCount {
  readonly versionId: number;
  readonly sites: number;
  readonly exposed: number;
  readonly unjudged: number;
  /** What the sites take it for: `module`, `theme`, … */
  readonly type: string;
}

/** How the sites stand to one cause: ever exposed, still open, all of it patched. */
export interface CauseCount {
  readonly causeId: number;
  readonly exposed: number;
  readonly open: number;
  readonly patched: number;
}

/** Counts by id, in columns: many parts of a fleet are added up in a millisecond. */
export interface CountColumns {
  readonly ids: Int32Array;
  /** For each column, by position of the id. */
  readonly counts: readonly Int32Array[];
  /** A word by position of the id; empty where there is none. */
  readonly words: readonly string[];
}

export function versionColumns(counts: readonly VersionCount[]): CountColumns {
  return {
    ids: Int32Array.from(counts, ({ versionId }) => versionId),
    counts: [
      Int32Array.from(counts, ({ sites }) => sites),
      Int32Array.from(counts, ({ exposed }) => exposed),
      Int32Array.from(counts, ({ unjudged }) => unjudged),
    ],
    words: counts.map(({ type }) => type),
  };
}

export function causeColumns(counts: readonly CauseCount[]): CountColumns {
  return {
    ids: Int32Array.from(counts, ({ causeId }) => causeId),
    counts: [
      Int32Array.from(counts, ({ exposed }) => exposed),
      Int32Array.from(counts, ({ open }) => open),
      Int32Array.from(counts, ({ patched }) => patched),
    ],
    words: [],
  };
}

/** Adds up the parts of a fleet by version: every site is in exactly one. */
export function versionTotals(parts: readonly CountColumns[]): Map<number, VersionCount> {
  const { ids, sums, words } = added(parts, 3);
  const [sites, exposed, unjudged] = sums as [Int32Array, Int32Array, Int32Array];
  return new Map(
    ids.map((id) => [
      id,
      { versionId: id, sites: sites[id]!, exposed: exposed[id]!, unjudged: unjudged[id]!, type: words.get(id)! },
    ]),
  );
}

/** As `versionTotals`, by cause. */
export function causeTotals(parts: readonly CountColumns[]): Map<number, CauseCount> {
  const { ids, sums } = added(parts, 3);
  return new Map(
    ids.map((causeId) => [
      causeId,
      { causeId, exposed: sums[0]![causeId]!, open: sums[1]![causeId]!, patched: sums[2]![causeId]! },
    ]),
  );
}

/** Sums by id; the first column is never 0 for an id that is there. */
function added(
  parts: readonly CountColumns[],
  columns: number,
): { ids: number[]; sums: Int32Array[]; words: Map<number, string> } {
  let greatest = -1;
  for (const { ids } of parts) for (const id of ids) if (id > greatest) greatest = id;
  const sums = Array.from({ length: columns }, () => new Int32Array(greatest + 1));
  const [first] = sums;
  const found: number[] = [];
  const words = new Map<number, string>();
  for (const part of parts) {
    for (let row = 0; row < part.ids.length; row++) {
      const id = part.ids[row]!;
      if (first![id] === 0) {
        found.push(id);
        if (part.words[row] !== undefined) words.set(id, part.words[row]!);
      }
      for (let column = 0; column < columns; column++) sums[column]![id]! += part.counts[column]![row]!;
    }
  }
  return { ids: found, sums, words };
}
