import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '#libs/runtime';
import type { DoneBy } from '../identity/doer.js';
import { SiteLimit } from '../plan/site-limit.service.js';
import { IssueKey } from '../site-key/issue-key.service.js';
import type { IssuedKey } from '../site-key/issue-key.service.js';
import { SiteChanges } from './manage-sites.service.js';
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

/** Adds a site to the registry with its first key, in the transaction of whoever decided that it may be. */
@Injectable()
export class RegisterSite {
  constructor(
    private readonly sites: SiteRepository,
    private readonly keys: IssueKey,
    private readonly changes: SiteChanges,
    private readonly limit: SiteLimit,
  ) {}

  /** @throws ProblemError `plan_limit_reached` */
  async register(
    tx: EntityManager,
    { organizationUuid, createdBy, ...words }: RegisteredSite,
    by: DoneBy,
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
    await this.changes.tell(tx, {
      action: 'site.registered',
      site,
      organizationUuid,
      by,
      detail: { url: site.url, key: key.publicId },
    });
    return { site, key };
  }
}
