/** One row of a read model: in which table, which one, and what it says (without ids and instants of its own recording). */
export interface ModelRow {
  readonly table: string;
  readonly key: string;
  readonly row: string;
}

/** A row that the rebuild changed. */
export interface ModelDifference {
  /** Site, module or registry entry whose rebuild showed it. */
  readonly subject: string;
  readonly table: string;
  readonly key: string;
  /** `missing`: history has it, the read model had not; `surplus`: the other way round; `different`: both, not the same. */
  readonly kind: 'missing' | 'surplus' | 'different';
  /** Of a different row: what differs, as `column: before → after`. */
  readonly columns: readonly string[];
}

/** How many rows there were before and are after, by table. */
export type RowCounts = Record<string, { before: number; after: number }>;

export interface Comparison {
  readonly differences: readonly ModelDifference[];
  readonly counts: RowCounts;
}

/** What the rebuild of one subject made of its rows. */
export function compareModels(subject: string, before: readonly ModelRow[], after: readonly ModelRow[]): Comparison {
  const differences: ModelDifference[] = [];
  const counts: RowCounts = {};
  const countOf = (table: string) => (counts[table] ??= { before: 0, after: 0 });
  const identity = ({ table, key }: ModelRow) => `${table}\u0000${key}`;
  const left = new Map(before.map((row) => [identity(row), row]));
  for (const { table } of before) countOf(table).before++;
  for (const now of after) {
    const { table, key } = now;
    countOf(table).after++;
    const was = left.get(identity(now));
    left.delete(identity(now));
    if (was === undefined) differences.push({ subject, table, key, kind: 'missing', columns: [] });
    else if (was.row !== now.row)
      differences.push({ subject, table, key, kind: 'different', columns: differingColumns(was.row, now.row) });
  }
  for (const { table, key } of left.values()) differences.push({ subject, table, key, kind: 'surplus', columns: [] });
  return { differences, counts };
}

function differingColumns(before: string, after: string): string[] {
  const [was, is] = [before, after].map((row) => JSON.parse(row) as Record<string, unknown>) as [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((column) => JSON.stringify(was[column]) !== JSON.stringify(is[column]))
    .map((column) => `${column}: ${short(was[column])} → ${short(is[column])}`);
}

const short = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60);

/** Sums counts of several comparisons into `total`. */
export function addCounts(total: RowCounts, more: RowCounts): void {
  for (const [table, { before, after }] of Object.entries(more)) {
    const sum = (total[table] ??= { before: 0, after: 0 });
    sum.before += before;
    sum.after += after;
  }
}
