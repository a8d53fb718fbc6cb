import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { inventoryChanged, modulesSeen, sitesHeard } from '#libs/contracts';
import { OUTBOX, type Outbox, type OutgoingEvent } from '#libs/outbox';
import { KnownModulesService } from '../known-module/known-modules.service.js';
import type { SiteState } from '../site-state/site-state.js';
import { inventoryChangedBody, projectsIn, sitesHeardBody } from './inventory-events.js';
import type { AppliedChange } from './settle-pushes.js';

export interface Announcement {
  readonly changes: readonly AppliedChange[];
  /** Of the sites to which at least one push was applied. */
  readonly heard: readonly SiteState[];
  /** The messages that carried the pushes, by `<site id> <push id>`. */
  readonly causes: ReadonlyMap<string, { readonly messageId: string; readonly correlationId: string }>;
}

/** Tells the other services, by the outbox of the batch's transaction. */
@Injectable()
export class AnnounceChangesService {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly knownModules: KnownModulesService,
  ) {}

  /** @returns what to do after the commit. */
  async announce(tx: EntityManager, announcement: Announcement, now: Date): Promise<() => void> {
    const { changes, heard, causes } = announcement;
    const events: OutgoingEvent[] = changes.map((change) => ({
      event: inventoryChanged,
      organizationId: change.push.organizationId,
      key: change.push.siteUuid,
      body: inventoryChangedBody(change),
      ...causeOf(causes.get(`${change.push.siteId} ${change.push.pushId}`)),
    }));
    if (heard.length > 0) {
      events.push({ event: sitesHeard, organizationId: null, key: 'sites-heard', body: sitesHeardBody(heard) });
    }
    const { unseen, afterCommit } = await this.knownModules.meet(tx, projectsIn(changes), now);
    if (unseen.length > 0) {
      const modules = unseen.map(({ module, type }) => ({ module, type }));
      events.push({ event: modulesSeen, organizationId: null, key: 'modules-seen', body: { modules } });
    }
    await this.outbox.add(tx, events);
    return afterCommit;
  }
}

function causeOf(
  cause: { messageId: string; correlationId: string } | undefined,
): Pick<OutgoingEvent, 'causationId' | 'correlationId'> {
  return cause === undefined ? {} : { causationId: cause.messageId, correlationId: cause.correlationId };
}
