import { LRUCache } from 'lru-cache';

/** Scopes that are kept; the ones asked last. */
const KEPT = 50;

/** A part of the sites of a scope, by site id; its stamp changes with every change of what is remembered of it. */
export interface SitePart {
  readonly part: number;
  readonly stamp: string;
}

interface RememberedPart<T> {
  readonly stamp: string;
  readonly content: T;
}

/**
 * What is known of the sites of scopes, part by part, as of the stamps it was read with. One site's change makes one part be read anew, not
 * the whole fleet. What is remembered is never old: who asks brings the stamps of this moment.
 */
export class RememberedParts<T> {
  private readonly scopes = new LRUCache<string, Map<number, RememberedPart<T>>>({ max: KEPT });

  /**
   * @param key the scope
   * @param parts all parts of the scope, as they are now
   * @param read reads parts anew; answers for each of them
   */
  async get(
    key: string,
    parts: readonly SitePart[],
    read: (parts: readonly number[]) => Promise<ReadonlyMap<number, T>>,
  ): Promise<T[]> {
    const known = this.scopes.get(key) ?? new Map<number, RememberedPart<T>>();
    const changed = parts.filter(({ part, stamp }) => known.get(part)?.stamp !== stamp).map(({ part }) => part);
    const fresh = changed.length > 0 ? await read(changed) : new Map<number, T>();
    const now = new Map(
      parts.map(({ part, stamp }) => {
        const content = fresh.has(part) ? fresh.get(part)! : known.get(part)!.content;
        return [part, { stamp, content }] as const;
      }),
    );
    this.scopes.set(key, now);
    return [...now.values()].map(({ content }) => content);
  }
}
