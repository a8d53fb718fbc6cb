import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ExposuresChanged } from '#libs/contracts';
import { DeliveriesService } from '../delivery/deliveries.service.js';
import { IdentityService } from '../identity/identity.service.js';
import { InboxService } from '../inbox/inbox.service.js';
import { exposureAlert } from './exposure-alert.js';
import { liveExposures } from './live-exposures.js';

export interface ExposuresMessage {
  readonly messageId: string;
  readonly body: ExposuresChanged;
}

/** Writes one mail to everybody who may see new exposures, in the batch's transaction; sending is another matter. */
@Injectable()
export class AlertPeopleService {
  constructor(
    private readonly inbox: InboxService,
    private readonly identity: IdentityService,
    private readonly deliveries: DeliveriesService,
  ) {}

  /** @returns how many mails were written. */
  async alert(tx: EntityManager, messages: readonly ExposuresMessage[], now: Date): Promise<number> {
    const fresh = await this.inbox.take(
      tx,
      messages.map(({ messageId }) => messageId),
      now,
    );
    // The same message twice in one batch is one message.
    const bodies = messages.filter(({ messageId }) => fresh.delete(messageId)).map(({ body }) => body);
    const live = liveExposures(bodies);
    if (live.length === 0) return 0;
    const removed = await this.identity.removedAmong(
      tx,
      live.map(({ exposure }) => exposure.site_id),
    );
    const news = live.filter(({ exposure }) => !removed.has(exposure.site_id));
    const people = await this.identity.peopleOf(tx, [...new Set(news.map(({ organizationId }) => organizationId))]);
    const letters = people.flatMap((person) => {
      const mine = news.filter(
        ({ organizationId }) => person.superuser || person.organizationIds.includes(organizationId),
      );
      if (mine.length === 0) return [];
      const organizations = new Set(mine.map(({ organizationId }) => organizationId));
      return [
        {
          organizationId: organizations.size === 1 ? mine[0]!.organizationId : null,
          userId: person.userId,
          email: person.email,
          kind: 'exposure-alert',
          mail: exposureAlert(
            person,
            mine.map(({ exposure }) => exposure),
          ),
        },
      ];
    });
    await this.deliveries.queue(tx, letters, now);
    return letters.length;
  }
}
