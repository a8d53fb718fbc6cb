/**
 * CSV as spreadsheets read it: UTF-8 with a byte order mark, CRLF, RFC 4180 quotes. A text that a spreadsheet would take for a formula gets
 * an apostrophe in front (S63); numbers stay numbers.
 */
export const BYTE_ORDER_MARK = '\ufeff';

/** What a spreadsheet, or its import, may take for the start of a formula. */
const FORMULA = /^[=+\-@\t\r\n\0|%＝＋－＠]/;

export type Cell = string | number | null;

/** One line with its CRLF. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const safe = (FORMULA.test(cell) ? `'${cell}` : cell).replaceAll('\0', '');
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The columns of a file: what each is called and what stands in it. */
export type Columns<Row> = readonly (readonly [string, (row: Row) => Cell])[];

/** A part of a list, and how to ask for the next one; null: it was the last. */
export interface ListPart<Row> {
  readonly items: readonly Row[];
  readonly next: string | null;
}

/** A whole list as CSV, in pieces. @param more asks for the part behind a cursor */
export async function* csvPieces<Row>(
  columns: Columns<Row>,
  first: ListPart<Row>,
  more: (after: string) => Promise<ListPart<Row>>,
): AsyncGenerator<string> {
  yield BYTE_ORDER_MARK + csvLine(columns.map(([name]) => name));
  for (let part = first; ;) {
    if (part.items.length > 0) yield part.items.map((row) => csvLine(columns.map(([, cell]) => cell(row)))).join('');
    if (part.next === null) return;
    part = await more(part.next);
  }
}
