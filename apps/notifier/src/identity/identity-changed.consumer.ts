import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  memberChanged,
  organizationChanged,
  QUEUES,
  siteChanged,
  type MemberChanged,
  type OrganizationChanged,
  type SiteChanged,
} from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import type { BatchHandler, Delivered } from '#libs/streams';
import { IdentityService } from './identity.service.js';

/** Keeps the notifier's copies of people, organizations and sites. */
@Injectable()
@QueueHandler(QUEUES.notifierIdentity)
export class IdentityChangedConsumer implements BatchHandler<EntityManager> {
  readonly handles = [memberChanged, organizationChanged, siteChanged];

  constructor(private readonly identity: IdentityService) {}

  async handle(tx: EntityManager, messages: readonly Delivered[]): Promise<void> {
    const bodies = <T>(type: string): T[] =>
      messages.filter(({ envelope }) => envelope.type === type).map(({ data }) => data as T);
    await this.identity.followPeople(
      tx,
      bodies<MemberChanged>(memberChanged.type).map((body) => ({
        userId: body.user_id,
        userUuid: body.user_uuid,
        email: body.email,
        name: body.name,
        superuser: body.superuser,
        active: body.active,
        organizationIds: body.organization_ids,
        revision: body.revision,
      })),
    );
    await this.identity.followOrganizations(
      tx,
      bodies<OrganizationChanged>(organizationChanged.type).map((body) => ({
        organizationId: body.organization_id,
        organizationUuid: body.organization_uuid,
        name: body.name,
        timeZone: body.time_zone,
        removedAt: body.removed_at,
        revision: body.revision,
      })),
    );
    await this.identity.followSites(
      tx,
      bodies<SiteChanged>(siteChanged.type).map((body) => ({
        siteId: body.site_id,
        siteUuid: body.site_uuid,
        organizationId: body.organization_id,
        name: body.name,
        url: body.url,
        environment: body.environment,
        removedAt: body.removed_at,
        revision: body.revision,
      })),
    );
  }
}
