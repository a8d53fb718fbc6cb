import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { IdentityRepository } from './identity.repository.js';
import { newest, type Organization, type Person, type Site } from './identity.js';

/** Who is there and who may see what. */
@Injectable()
export class IdentityService {
  constructor(private readonly identity: IdentityRepository) {}

  async followPeople(tx: EntityManager, people: readonly Person[]): Promise<void> {
    await this.identity.savePeople(
      tx,
      newest(people, ({ userId }) => userId),
    );
  }

  async followOrganizations(tx: EntityManager, organizations: readonly Organization[]): Promise<void> {
    await this.identity.saveOrganizations(
      tx,
      newest(organizations, ({ organizationId }) => organizationId),
    );
  }

  async followSites(tx: EntityManager, sites: readonly Site[]): Promise<void> {
    await this.identity.saveSites(
      tx,
      newest(sites, ({ siteId }) => siteId),
    );
  }

  /** Active people who may see any of these organizations. */
  peopleOf(tx: EntityManager, organizationIds: readonly number[]): Promise<Person[]> {
    return this.identity.peopleOf(tx, organizationIds);
  }

  /** Which of these sites are removed; a site never heard of is not. */
  removedAmong(tx: EntityManager, siteIds: readonly number[]): Promise<Set<number>> {
    return this.identity.removedAmong(tx, siteIds);
  }
}
