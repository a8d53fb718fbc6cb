import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OUTBOX } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import { KeyChanges } from '../site-key/key-changes.service.js';
import { siteFact } from './site-events.js';
import type { Site } from './site.entity.js';
import { SiteRepository } from './site.repository.js';

/** What went with an organization, or came back with it. */
export interface Cascade {
  readonly sites: number;
  /** Public ids of keys that are good no longer, or again. */
  readonly keys: readonly string[];
}

interface Owner {
  readonly id: number;
  readonly uuid: string;
}

/** Removes and restores all sites of an organization. Their keys are not touched: a key of a removed site opens nothing. */
@Injectable()
export class SiteCascade {
  constructor(
    private readonly sites: SiteRepository,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly keys: KeyChanges,
  ) {}

  async removeAll(tx: EntityManager, owner: Owner, removedAt: Date, requestId: string): Promise<Cascade> {
    return this.tell(tx, await this.sites.removeAllOf(tx, owner.id, removedAt), owner, requestId);
  }

  /** Those that were removed at that moment; sites removed before stay so. */
  async restoreAll(tx: EntityManager, owner: Owner, removedAt: Date, requestId: string): Promise<Cascade> {
    return this.tell(tx, await this.sites.restoreAllOf(tx, owner.id, removedAt), owner, requestId);
  }

  /** Public ids of the keys of all sites that the organization has. */
  keysOf(tx: EntityManager, organizationId: number): Promise<string[]> {
    return this.sites.keysOfAll(tx, organizationId);
  }

  /** Call it after the commit. */
  announce(keys: readonly string[]): Promise<void> {
    return this.keys.announce(keys);
  }

  private async tell(tx: EntityManager, sites: readonly Site[], owner: Owner, requestId: string): Promise<Cascade> {
    await this.outbox.add(
      tx,
      sites.map((site) => siteFact(site, owner.uuid, requestId)),
    );
    return {
      sites: sites.length,
      keys: await this.sites.keysOf(
        tx,
        sites.map(({ id }) => id),
      ),
    };
  }
}
