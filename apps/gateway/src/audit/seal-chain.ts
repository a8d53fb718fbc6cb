import { createHmac, hkdfSync } from 'node:crypto';

/** The seal before the first. */
export const NO_SEAL: Buffer = Buffer.alloc(32);

/** A line of the audit log as its seal covers it. */
export interface SealedLine {
  readonly position: number;
  readonly lineId: number;
  /** Every column of the line; null: there is no such line (any more). */
  readonly text: string | null;
}

/** A link as it is stored. */
export interface StoredLink extends SealedLine {
  readonly seal: Buffer;
}

/** What is wrong with the log, and where. */
export interface ChainFault {
  readonly kind: 'line_changed' | 'line_removed' | 'seals_missing' | 'line_inserted';
  /** In the chain; null: the line is in no place of it. */
  readonly position: number | null;
  /** Of the line; null: seals are missing, and so nobody knows which lines. */
  readonly lineId: number | null;
  readonly detail: string;
}

/** The key of the chain, from the pepper: it lies outside the database, so that whoever owns the database cannot seal anew what was changed. */
export function sealingKeyOfLog(pepper: string): Buffer {
  return Buffer.from(hkdfSync('sha256', pepper, '', 'patchwatch audit log', 32));
}

/** The seal of a line that comes after the one sealed by `before`. */
export function sealOf(key: Buffer, before: Buffer, { position, lineId, text }: SealedLine): Buffer {
  return createHmac('sha256', key)
    .update(before)
    .update(`${position} ${lineId} ${text === null ? 'gone' : `is ${text}`}`)
    .digest();
}

/** Walks along the chain. Hand it the links in order; it tells what is wrong with each, and goes on behind it. */
export class ChainWalk {
  private before = NO_SEAL;
  private last = 0;

  constructor(private readonly key: Buffer) {}

  /** Where it has come to. */
  get head(): { readonly position: number; readonly seal: Buffer } {
    return { position: this.last, seal: this.before };
  }

  /** One link further. */
  step(link: StoredLink): ChainFault[] {
    const { position, lineId, text, seal } = link;
    const missing = position - this.last - 1;
    const right = sealOf(this.key, this.before, link);
    this.last = position;
    this.before = seal;
    if (missing > 0) {
      const detail = `${missing} seals before it are gone, and with them whatever shows which lines they were of`;
      // The first behind a gap cannot be checked against what was before it.
      return [{ kind: 'seals_missing', position, lineId: null, detail }];
    }
    if (text === null && !right.equals(seal))
      return [{ kind: 'line_removed', position, lineId, detail: 'the line was sealed and is gone' }];
    if (!right.equals(seal))
      return [
        { kind: 'line_changed', position, lineId, detail: 'the line is not what was sealed, or its seal was changed' },
      ];
    return [];
  }
}
