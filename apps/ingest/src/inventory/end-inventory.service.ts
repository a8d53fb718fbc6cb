import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SiteStatesService } from '../site-state/site-states.service.js';
import { InventoryRepository } from './inventory.repository.js';

/** A removed site has nothing installed from then on; its history stays. */
@Injectable()
export class EndInventoryService {
  constructor(
    private readonly states: SiteStatesService,
    private readonly inventories: InventoryRepository,
  ) {}

  /** @param siteId locked in `tx`. */
  async end(tx: EntityManager, siteId: number, at: Date): Promise<void> {
    await this.inventories.endInventory(tx, siteId, at);
    await this.states.forgetInventory(tx, siteId);
  }
}
