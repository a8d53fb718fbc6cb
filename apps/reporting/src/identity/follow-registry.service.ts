import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { OrganizationChanged, SiteChanged } from '#libs/contracts';
import { AssessmentLockService } from '../assessment-lock/assessment-lock.service.js';
import { ReconcileExposuresService } from '../exposure/reconcile-exposures.service.js';
import { SummarizeSitesService } from '../site-summary/summarize-sites.service.js';
import { IdentityRepository } from './identity.repository.js';

/**
 * Follows the registry of organizations and sites; the greatest revision of each counts. A removed site ends its exposures; a site
 * whose facts came first takes them over.
 */
@Injectable()
export class FollowRegistryService {
  constructor(
    private readonly locks: AssessmentLockService,
    private readonly identity: IdentityRepository,
    private readonly exposures: ReconcileExposuresService,
    private readonly summaries: SummarizeSitesService,
  ) {}

  async follow(
    tx: EntityManager,
    organizations: readonly OrganizationChanged[],
    sites: readonly SiteChanged[],
  ): Promise<void> {
    await this.identity.storeOrganizations(
      tx,
      newest(organizations, (organization) => organization.organization_id),
    );
    const arrived = newest(sites, (site) => site.site_id);
    if (arrived.length === 0) return;
    // All of a site's exposures depend on it, so none of its modules may be assessed meanwhile.
    await this.locks.shareAllModules(tx);
    await this.summaries.lock(
      tx,
      arrived.map((site) => ({ siteId: site.site_id, organizationId: site.organization_id })),
    );
    const changed = await this.identity.storeSites(tx, arrived);
    const moved = await this.identity.moveToOrganization(
      tx,
      changed.map((site) => site.siteId),
    );

    const first = changed.filter((site) => site.first).map((site) => site.siteId);
    const ended = changed.filter((site) => site.removalChanged).map((site) => site.siteId);
    // What an organization says of its own modules holds no longer for a site that left it.
    const otherwise = [...new Set([...ended, ...moved])];
    // What stood on record before the site had a name has not been told to anyone.
    if (first.length > 0) await this.exposures.announceSites(tx, first);
    if (otherwise.length > 0) {
      const pairs = await this.identity.modulesOf(tx, otherwise);
      await this.exposures.reconcile(tx, { ...pairs, causeIds: null });
      await this.summaries.afterSites(tx, pairs);
    }
  }
}

/** The item with the greatest revision of each key, ordered by key. */
function newest<T extends { readonly revision: number }>(items: readonly T[], keyOf: (item: T) => number): T[] {
  const byKey = new Map<number, T>();
  for (const item of items) {
    const known = byKey.get(keyOf(item));
    if (!known || known.revision < item.revision) byKey.set(keyOf(item), item);
  }
  return [...byKey].sort(([a], [b]) => a - b).map(([, item]) => item);
}
