import type { RedisConnection } from '#libs/streams';

/** What ingest knows about sites' inventories, as far as it says so in the cache. */
export class KnownInventories {
  constructor(private readonly cache: RedisConnection) {}

  /** Whether `hash` names the site's current inventory. null: the cache is away, and nobody knows. */
  async isKnown(siteUuid: string, hash: string): Promise<boolean | null> {
    try {
      // Not through `run`: the client's own time-out bounds it, and a timer less counts on this path.
      return (await this.cache.client.get(`pw:known-inventory:${siteUuid}`)) === hash;
    } catch {
      // Ingest knows the truth and says so in the receipt. To ask every site for everything now would make bad worse.
      return null;
    }
  }
}
