import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EndInventoryService } from '../inventory/end-inventory.service.js';
import type { RegisteredSite } from '../site-state/site-state.js';
import { SiteStatesService } from '../site-state/site-states.service.js';

/** Follows the registry: a removed site has no inventory, and takes no push until the registry brings it back. */
@Injectable()
export class FollowSitesService {
  constructor(
    private readonly states: SiteStatesService,
    private readonly inventories: EndInventoryService,
  ) {}

  /**
   * @param facts in any order, several of one site allowed: the greatest revision counts.
   * @returns UUIDs of the sites that are removed by them.
   */
  async follow(tx: EntityManager, facts: readonly RegisteredSite[]): Promise<string[]> {
    const latest = new Map<number, RegisteredSite>();
    for (const fact of facts) {
      if (fact.revision > (latest.get(fact.siteId)?.revision ?? -1)) latest.set(fact.siteId, fact);
    }
    // In order of id, as everybody locks sites.
    const removed = await this.states.follow(
      tx,
      [...latest.values()].sort((a, b) => a.siteId - b.siteId),
    );
    for (const { siteId, removedAt } of removed) await this.inventories.end(tx, siteId, removedAt);
    return removed.map(({ siteUuid }) => siteUuid);
  }
}
