import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OUTBOX, UNIT_OF_WORK } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { siteFact } from '../site/site-events.js';
import type { Site } from '../site/site.entity.js';
import { KeyChanges } from '../site-key/key-changes.service.js';
import { QuarantineRepository } from './quarantine.repository.js';
import type { SiteOwner } from './quarantine.repository.js';

/** Who did it, and by which request, as the audit log names it. */
export interface DoneBy {
  readonly actor: string;
  readonly address: string;
  readonly requestId: string;
}

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
    @Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    private readonly keys: KeyChanges,
    readonly sites: QuarantineRepository,
  ) {}

  /** Call `announce` with the keys after the commit. */
  async write(tx: EntityManager, { site: wanted, action, detail, by }: QuarantineChange): Promise<WrittenChange> {
    const site = await this.sites.save(tx, wanted);
    const owner = await this.sites.owner(tx, site.organizationId);
    await this.outbox.add(tx, [siteFact(site, owner.uuid, by.requestId)]);
    await this.audit.record(tx, {
      action,
      ...by,
      subject: `site:${site.uuid}`,
      organizationId: site.organizationId,
      detail: { name: site.name, ...detail },
    });
    return { site, owner, keys: await this.sites.keysOf(tx, site.id) };
  }

  /** Has every replica look at the registry again before it trusts one of these keys. */
  announce(publicIds: readonly string[]): Promise<void> {
    return this.keys.announce(publicIds);
  }
}
