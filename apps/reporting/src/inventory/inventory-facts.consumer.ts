import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { inventoryChanged, QUEUES, sitesHeard, type InventoryChanged, type SitesHeard } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import type { BatchHandler, Delivered } from '#libs/streams';
import { StoreInventoriesService } from './store-inventories.service.js';

/** What sites run and that they were heard from. */
@QueueHandler(QUEUES.reportingInventory)
@Injectable()
export class InventoryFactsConsumer implements BatchHandler<EntityManager> {
  readonly handles = [inventoryChanged, sitesHeard].map(({ type, version }) => ({ type, version }));

  constructor(private readonly inventories: StoreInventoriesService) {}

  async handle(tx: EntityManager, messages: readonly Delivered[]): Promise<void> {
    const bodies = (type: string) =>
      messages.filter((message) => message.envelope.type === type).map(({ data }) => data);
    await this.inventories.store(
      tx,
      bodies(inventoryChanged.type) as InventoryChanged[],
      (bodies(sitesHeard.type) as SitesHeard[]).flatMap(({ sites }) => sites),
    );
  }
}
