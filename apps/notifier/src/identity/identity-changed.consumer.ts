import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import {
  accountLetterDue,
  memberChanged,
  organizationChanged,
  QUEUES,
  siteChanged,
  type AccountLetterDue,
  type MemberChanged,
  type OrganizationChanged,
  type SiteChanged,
} from '#libs/contracts';
import { QueueHandler } from '#libs/outbox';
import { systemClock } from '#libs/runtime';
import type { BatchContext, BatchHandler, Delivered } from '#libs/streams';
import { SendMailService } from '../delivery/send-mail.service.js';
import { WriteLettersService } from '../letter/write-letters.service.js';
import { IdentityService } from './identity.service.js';

/** Keeps the notifier's copies of people, organizations and sites, and writes letters about accounts. */
@Injectable()
@QueueHandler(QUEUES.notifierIdentity)
export class IdentityChangedConsumer implements BatchHandler<EntityManager> {
  readonly handles = [memberChanged, organizationChanged, siteChanged, accountLetterDue];

  constructor(
    private readonly identity: IdentityService,
    private readonly letters: WriteLettersService,
    private readonly sender: SendMailService,
  ) {}

  async handle(tx: EntityManager, messages: readonly Delivered[], batch: BatchContext): Promise<void> {
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
    const letters = messages
      .filter(({ envelope }) => envelope.type === accountLetterDue.type)
      .map(({ envelope, data }) => ({ messageId: envelope.id, body: data as AccountLetterDue }));
    if ((await this.letters.write(tx, letters, systemClock.now())) > 0) batch.afterCommit(() => this.sender.nudge());
  }
}
