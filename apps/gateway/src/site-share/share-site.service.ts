import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { Clock } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from '../identity/doer.js';
import { Permissions } from '../identity/permissions.service.js';
import { may, scopeOf } from '../identity/principal.js';
import type { Site } from '../site/site.entity.js';
import { FindSite } from '../site/find-site.service.js';
import { CLOCK } from '../tokens.js';
import { SiteShareRepository, type Guest } from './site-share.repository.js';

/** Where shares are written: in one transaction with the audit lines of both organizations. */
@Injectable()
export class SiteShareChanges {
  constructor(
    @Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  /** Both must be able to say who let whom see what, and since when. */
  async note(
    tx: EntityManager,
    action: string,
    site: Site,
    guest: { id: number; uuid: string },
    doer: Doer,
  ): Promise<void> {
    for (const organizationId of [site.organizationId, guest.id])
      await this.audit.record(tx, {
        ...lineOf(doer, action, `site:${site.uuid}`, organizationId),
        detail: { organization: guest.uuid, name: site.name },
      });
  }
}

/**
 * Lets another organization read a site: its members see the site, its modules, exposures and reports, and the state of pushes, as their own.
 * They change nothing of it, see none of its keys, and share it with nobody. The owner's administrators give and take it; the guest's may leave.
 */
@Injectable()
export class ShareSite {
  constructor(
    private readonly sites: FindSite,
    private readonly shares: SiteShareRepository,
    private readonly permissions: Permissions,
    private readonly changes: SiteShareChanges,
  ) {}

  /** With whom the site is shared. @throws ProblemError `not_found`, `forbidden` */
  async list(uuid: string, doer: Doer): Promise<Guest[]> {
    const site = await this.sites.one(scopeOf(doer.person), uuid);
    this.permissions.must('administer', site.organizationId, attempt('site.shares', uuid, doer));
    return this.shares.guests(site.id);
  }

  /** Sharing twice is sharing once. @throws ProblemError `not_found`, `forbidden`, `validation_failed` for its own organization */
  async share(uuid: string, organization: string, doer: Doer): Promise<void> {
    await this.changes.unitOfWork.run(async (tx) => {
      const site = await this.sites.one(scopeOf(doer.person), uuid, tx);
      this.permissions.must('administer', site.organizationId, attempt('site.shared', uuid, doer));
      const guest = await this.shares.organization(tx, organization);
      if (guest === null) throw nothing();
      if (guest.id === site.organizationId)
        throw new ProblemError('validation_failed', 'The site belongs to this organization: name another.', {
          errors: [{ pointer: '/organizationId', code: 'wrong_value', detail: 'is the owner of the site' }],
        });
      const { organizationId, id: siteId } = site;
      const share = { organizationId, siteId, guestOrganizationId: guest.id, createdAt: this.changes.now() };
      if (await this.shares.add(tx, share)) await this.changes.note(tx, 'site.shared', site, guest, doer);
    });
  }

  /** It counts with the guests' next request. @throws ProblemError `not_found`, `forbidden` */
  async unshare(uuid: string, organization: string, doer: Doer): Promise<void> {
    await this.changes.unitOfWork.run(async (tx) => {
      const site = await this.sites.one(scopeOf(doer.person), uuid, tx);
      const guest = await this.shares.organization(tx, organization);
      const leaves = guest !== null && may(doer.person, 'administer', guest.id);
      if (!leaves) this.permissions.must('administer', site.organizationId, attempt('site.unshared', uuid, doer));
      if (guest === null || !(await this.shares.remove(tx, site.id, guest.id))) throw nothing();
      await this.changes.note(tx, 'site.unshared', site, guest, doer);
    });
  }
}

function attempt(action: string, uuid: string, doer: Doer): { action: string; subject: string; doer: Doer } {
  return { action, subject: `site:${uuid}`, doer };
}

function nothing(): ProblemError {
  return new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
}
