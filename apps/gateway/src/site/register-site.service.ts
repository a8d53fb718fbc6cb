import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OUTBOX } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import { newId } from '#libs/runtime';
import { AuditLog } from '../audit/audit-log.service.js';
import { SiteLimit } from '../plan/site-limit.service.js';
import { IssueKey } from '../site-key/issue-key.service.js';
import type { IssuedKey } from '../site-key/issue-key.service.js';
import { siteFact } from './site-events.js';
import type { Environment, Site } from './site.entity.js';
import { SiteRepository } from './site.repository.js';

/** A site that nobody added by hand. */
export interface RegisteredSite {
  readonly organizationId: number;
  readonly organizationUuid: string;
  readonly name: string;
  readonly url: string;
  readonly environment: Environment;
  readonly createdBy: number | null;
}

/** By whom, and by which request. */
export interface RegisteredBy {
  readonly actor: string;
  readonly requestId: string;
  readonly address: string;
}

/** Adds a site to the registry with its first key, in the transaction of whoever decided that it may be. */
@Injectable()
export class RegisterSite {
  constructor(
    private readonly sites: SiteRepository,
    private readonly keys: IssueKey,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    private readonly limit: SiteLimit,
  ) {}

  /** @throws ProblemError `plan_limit_reached` */
  async register(
    tx: EntityManager,
    { organizationUuid, createdBy, ...words }: RegisteredSite,
    by: RegisteredBy,
  ): Promise<{ site: Site; key: IssuedKey }> {
    await this.limit.mustHaveRoom(tx, words.organizationId);
    const site = await this.sites.add(tx, {
      uuid: newId(),
      ...words,
      revision: 1,
      createdAt: this.keys.now(),
      removedAt: null,
    });
    const key = await this.keys.issue(tx, site, { purpose: 'push', createdBy, lifetimeHours: null });
    await this.outbox.add(tx, [siteFact(site, organizationUuid, by.requestId)]);
    await this.audit.record(tx, {
      action: 'site.registered',
      ...by,
      subject: `site:${site.uuid}`,
      organizationId: site.organizationId,
      detail: { name: site.name, url: site.url, key: key.publicId },
    });
    return { site, key };
  }
}
