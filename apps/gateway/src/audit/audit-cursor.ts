/** Where a reader of the log goes on, as an opaque text: after the line of that id, towards older ones. */
export function cursorAfter(lineId: number): string {
  return Buffer.from(`a${lineId}`).toString('base64url');
}

/** The id in a cursor; null: it is none of ours. */
export function idOfCursor(cursor: string): number | null {
  const match = /^a(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  return match === null ? null : Number(match[1]);
}

export function isCursor(text: string): boolean {
  return text.length <= 40 && idOfCursor(text) !== null;
}
