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
