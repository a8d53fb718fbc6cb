import { Inject, Injectable } from '@nestjs/common';
import type { RedisConnection } from '#libs/streams';

/** `RedisConnection` of role cache. */
export const CACHE = Symbol('CACHE');

/**
 * What the gateway may know of the sites' inventories, so that it can take or refuse a heartbeat without asking: the hash
 * that the site itself gave its current inventory. A lost entry costs one full push.
 */
@Injectable()
export class KnownInventoriesService {
  constructor(@Inject(CACHE) private readonly cache: RedisConnection) {}

  /**
   * @param hashes by site UUID; null: nothing is known, and the next heartbeat must be refused. Call it after the commit.
   * @throws RedisUnavailableError
   */
  async tell(hashes: ReadonlyMap<string, string | null>): Promise<void> {
    if (hashes.size === 0) return;
    await this.cache.run((client) => {
      const pipeline = client.pipeline();
      for (const [siteUuid, hash] of hashes) {
        if (hash === null) pipeline.del(keyOf(siteUuid));
        else pipeline.set(keyOf(siteUuid), hash);
      }
      return pipeline.exec();
    });
  }
}

/** See ARCHITECTURE.md, rule 9. */
const keyOf = (siteUuid: string): string => `pw:known-inventory:${siteUuid.toLowerCase()}`;
