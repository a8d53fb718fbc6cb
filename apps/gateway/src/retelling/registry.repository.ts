import { MoreThan } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { Organization } from '../identity/organization.entity.js';
import { Site } from '../site/site.entity.js';

/** The registry as it stands, removed entries too. For telling it anew, not for anybody who asks. */
export class RegistryRepository {
  organizations(tx: EntityManager): Promise<Organization[]> {
    return tx.find(Organization, { order: { id: 'ASC' } });
  }

  /** The next sites after `afterId` by id. */
  sites(tx: EntityManager, afterId: number, limit: number): Promise<Site[]> {
    return tx.find(Site, { where: { id: MoreThan(afterId) }, order: { id: 'ASC' }, take: limit });
  }
}
