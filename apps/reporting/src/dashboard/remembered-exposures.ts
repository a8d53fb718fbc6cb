import type { ExposureColumns } from './exposure-columns.js';

/** Scopes that are kept; the ones asked last. */
const KEPT = 50;

/** A part of the sites of a scope, by site id; its stamp changes with every change of an exposure in it. */
export interface SitePart {
  readonly part: number;
  readonly stamp: string;
}

interface RememberedPart {
  readonly stamp: string;
  readonly columns: ExposureColumns;
}

/**
 * The exposures of scopes, part by part, as of the stamps they were read with. One site's change makes one part be read anew, not the
 * whole fleet. What is remembered is never old: who asks brings the stamps of this moment.
 */
export class RememberedExposures {
  private readonly scopes = new Map<string, Map<number, RememberedPart>>();

  /**
   * @param key the scope
   * @param parts all parts of the scope, as they are now
   * @param read reads parts anew
   */
  async get(
    key: string,
    parts: readonly SitePart[],
    read: (parts: readonly number[]) => Promise<Map<number, ExposureColumns>>,
  ): Promise<ExposureColumns[]> {
    const known = this.scopes.get(key) ?? new Map<number, RememberedPart>();
    const changed = parts.filter(({ part, stamp }) => known.get(part)?.stamp !== stamp).map(({ part }) => part);
    const fresh = changed.length > 0 ? await read(changed) : new Map<number, ExposureColumns>();
    const now = new Map(
      parts.map(({ part, stamp }) => [part, { stamp, columns: fresh.get(part) ?? known.get(part)!.columns }] as const),
    );
    this.keep(key, now);
    return [...now.values()].map(({ columns }) => columns);
  }

  private keep(key: string, parts: Map<number, RememberedPart>): void {
    this.scopes.delete(key);
    this.scopes.set(key, parts);
    for (const oldest of this.scopes.keys()) {
      if (this.scopes.size <= KEPT) break;
      this.scopes.delete(oldest);
    }
  }
}
