import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { QUEUES, siteChanged, type SiteChanged } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import type { BatchContext, BatchHandler, Delivered } from '#libs/streams';
import { KnownInventoriesService } from '../inventory/known-inventories.service.js';
import { FollowSitesService } from './follow-sites.service.js';

@Injectable()
@QueueHandler(QUEUES.ingestSites)
export class SiteChangedConsumer implements BatchHandler<EntityManager, SiteChanged> {
  readonly handles = [siteChanged];

  constructor(
    private readonly service: FollowSitesService,
    private readonly knownInventories: KnownInventoriesService,
  ) {}

  async handle(tx: EntityManager, messages: readonly Delivered<SiteChanged>[], batch: BatchContext): Promise<void> {
    const removed = await this.service.follow(
      tx,
      messages.map(({ data }) => ({
        siteId: data.site_id,
        siteUuid: data.site_uuid,
        organizationId: data.organization_id,
        removedAt: data.removed_at === null ? null : Date.parse(data.removed_at),
        revision: data.revision,
      })),
    );
    batch.afterCommit(() => this.knownInventories.tell(new Map(removed.map((siteUuid) => [siteUuid, null]))));
  }
}
