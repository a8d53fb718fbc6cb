/** A document type stands at the start; nobody writes a comment of this length before it. */
const MAX_PROLOG = 64 * 1024;

/** Watches the start of a document for a document type declaration. */
export class Prolog {
  private head: string | null = '';

  /** @returns whether the text seen so far, with this piece added, begins a document type declaration. */
  declaresType(piece: string): boolean {
    if (this.head === null) return false;
    this.head += piece.slice(0, MAX_PROLOG);
    const found = afterMisc(this.head);
    if (found === null && this.head.length < MAX_PROLOG) return false;
    const declared = found !== null && this.head.startsWith('<!DOCTYPE', found);
    this.head = null;
    return declared;
  }
}

/** Where what follows declaration, comments and instructions begins; null: not to be seen yet. */
function afterMisc(head: string): number | null {
  let position = head.startsWith('\uFEFF') ? 1 : 0;
  for (;;) {
    while (' \t\r\n'.includes(head[position] ?? 'x')) position += 1;
    const end = head.startsWith('<?', position) ? '?>' : head.startsWith('<!--', position) ? '-->' : null;
    if (end === null) return head.length - position >= '<!DOCTYPE'.length ? position : null;
    const found = head.indexOf(end, position + 2);
    if (found < 0) return null;
    position = found + end.length;
  }
}
