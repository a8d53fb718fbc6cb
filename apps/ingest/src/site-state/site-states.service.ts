import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SiteStateRepository } from './site-state.repository.js';
import type { RegisteredSite, SiteIdentity, SiteState } from './site-state.js';

/** Where every site stands. Its row's lock orders everything that happens to a site. */
@Injectable()
export class SiteStatesService {
  constructor(private readonly states: SiteStateRepository) {}

  /** Locks the sites in order of their ids until `tx` ends; sites never heard of get a row. */
  lock(tx: EntityManager, sites: readonly SiteIdentity[]): Promise<Map<number, SiteState>> {
    return this.states.lock(tx, sites);
  }

  /** @param states of sites locked in `tx`. */
  save(tx: EntityManager, states: readonly SiteState[]): Promise<void> {
    return this.states.save(tx, states);
  }

  /** Takes over the registry's view. @returns the sites that are removed by it. */
  follow(
    tx: EntityManager,
    facts: readonly RegisteredSite[],
  ): Promise<{ siteId: number; siteUuid: string; removedAt: Date }[]> {
    return this.states.follow(tx, facts);
  }

  forgetInventory(tx: EntityManager, siteId: number): Promise<void> {
    return this.states.forgetInventory(tx, siteId);
  }
}
