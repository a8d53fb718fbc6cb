import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { organizationChanged, QUEUES, siteChanged, type OrganizationChanged, type SiteChanged } from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import type { BatchHandler, Delivered } from '#libs/streams';
import { FollowRegistryService } from './follow-registry.service.js';

/** Organizations and sites, as the registry tells of them. */
@QueueHandler(QUEUES.reportingIdentity)
@Injectable()
export class RegistryChangesConsumer implements BatchHandler<EntityManager> {
  readonly handles = [organizationChanged, siteChanged].map(({ type, version }) => ({ type, version }));

  constructor(private readonly registry: FollowRegistryService) {}

  async handle(tx: EntityManager, messages: readonly Delivered[]): Promise<void> {
    const bodies = (type: string) =>
      messages.filter((message) => message.envelope.type === type).map(({ data }) => data);
    await this.registry.follow(
      tx,
      bodies(organizationChanged.type) as OrganizationChanged[],
      bodies(siteChanged.type) as SiteChanged[],
    );
  }
}
