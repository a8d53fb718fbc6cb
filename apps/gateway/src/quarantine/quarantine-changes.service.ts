import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { UnitOfWork } from '#libs/streams';
import type { DoneBy } from '../identity/doer.js';
import { SiteChanges } from '../site/manage-sites.service.js';
import type { Site } from '../site/site.entity.js';
import { KeyChanges } from '../site-key/key-changes.service.js';
import { QuarantineRepository } from './quarantine.repository.js';
import type { SiteOwner } from './quarantine.repository.js';

/** A site as it shall be, and what is noted of it. */
interface QuarantineChange {
  readonly site: Site;
  readonly action: 'site.quarantined' | 'site.quarantine_released';
  readonly detail: Readonly<Record<string, unknown>>;
  readonly by: DoneBy;
}

/** What was written, and whose cached keys are old now. */
export interface WrittenChange {
  readonly site: Site;
  readonly owner: SiteOwner;
  readonly keys: readonly string[];
}

/** Where sites are held and released: in one transaction with what the other services and the audit log are told of it. */
@Injectable()
export class QuarantineChanges {
  constructor(
    private readonly changes: SiteChanges,
    private readonly keys: KeyChanges,
    readonly sites: QuarantineRepository,
  ) {}

  get unitOfWork(): UnitOfWork<EntityManager> {
    return this.changes.unitOfWork;
  }

  /** Call `announce` with the keys after the commit. */
  async write(tx: EntityManager, { site: wanted, action, detail, by }: QuarantineChange): Promise<WrittenChange> {
    const site = await this.changes.save(tx, wanted);
    const owner = await this.sites.owner(tx, site.organizationId);
    await this.changes.tell(tx, { action, site, organizationUuid: owner.uuid, by, detail });
    return { site, owner, keys: await this.changes.keysOf(tx, site.id) };
  }

  /** Has every replica look at the registry again before it trusts one of these keys. */
  announce(publicIds: readonly string[]): Promise<void> {
    return this.keys.announce(publicIds);
  }
}
