import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import { doneBy, type Doer } from '../identity/doer.js';
import { Permissions } from '../identity/permissions.service.js';
import { People } from '../identity/people.service.js';
import { scopeOf } from '../identity/principal.js';
import { SiteLimit } from '../plan/site-limit.service.js';
import { SiteChanges } from './manage-sites.service.js';
import type { Site } from './site.entity.js';
import { SiteRepository } from './site.repository.js';

/** Brings removed sites back, until they are erased for good. Keys died with the removal: a restored site needs a new one. */
@Injectable()
export class RestoreSites {
  constructor(
    private readonly sites: SiteRepository,
    private readonly people: People,
    private readonly permissions: Permissions,
    private readonly changes: SiteChanges,
    private readonly limit: SiteLimit,
  ) {}

  /** Removed sites in scope, those removed last first. */
  list(doer: Doer, page: { page: number; per_page: number }): Promise<[Site[], number]> {
    return this.sites.removed(scopeOf(doer.person), page);
  }

  /** @throws ProblemError `not_found`, also when it was not removed or is erased; `forbidden`; `plan_limit_reached` */
  restore(uuid: string, doer: Doer): Promise<{ site: Site; organizationUuid: string }> {
    return this.changes.unitOfWork.run(async (tx) => {
      const removed = await this.sites.findRemoved(scopeOf(doer.person), uuid, tx);
      const [organization] =
        removed === null ? [] : await this.people.organizations({ organization_ids: [removed.organizationId] });
      // With a removed organization its sites come back by its own restoration.
      if (removed === null || organization === undefined)
        throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
      this.permissions.must('administer', removed.organizationId, {
        action: 'site.restored',
        subject: `site:${uuid}`,
        doer,
      });
      await this.limit.mustHaveRoom(tx, removed.organizationId);
      const site = await this.sites.change(tx, { ...removed, removedAt: null });
      await this.changes.tell(tx, {
        action: 'site.restored',
        site,
        organizationUuid: organization.uuid,
        by: doneBy(doer),
        detail: { removed_at: removed.removedAt!.toISOString() },
      });
      return { site, organizationUuid: organization.uuid };
    });
  }
}
