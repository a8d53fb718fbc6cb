import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Organization, Person, Site } from './identity.js';

/** Copies of the registry's facts. A greater revision wins, whatever arrives first. */
@Injectable()
export class IdentityRepository {
  async savePeople(tx: EntityManager, people: readonly Person[]): Promise<void> {
    for (const person of people) {
      await tx.query(
        `INSERT INTO people (user_id, user_uuid, email, name, superuser, active, organization_ids, revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (user_id) DO UPDATE SET email = excluded.email, name = excluded.name, superuser = excluded.superuser,
           active = excluded.active, organization_ids = excluded.organization_ids, revision = excluded.revision
         WHERE people.revision < excluded.revision`,
        [
          person.userId,
          person.userUuid,
          person.email,
          person.name,
          person.superuser,
          person.active,
          person.organizationIds,
          person.revision,
        ],
      );
    }
  }

  async saveOrganizations(tx: EntityManager, organizations: readonly Organization[]): Promise<void> {
    for (const organization of organizations) {
      await tx.query(
        `INSERT INTO organizations (organization_id, organization_uuid, name, time_zone, removed_at, revision)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (organization_id) DO UPDATE SET name = excluded.name, time_zone = excluded.time_zone,
           removed_at = excluded.removed_at, revision = excluded.revision
         WHERE organizations.revision < excluded.revision`,
        [
          organization.organizationId,
          organization.organizationUuid,
          organization.name,
          organization.timeZone,
          organization.removedAt,
          organization.revision,
        ],
      );
    }
  }

  async saveSites(tx: EntityManager, sites: readonly Site[]): Promise<void> {
    for (const site of sites) {
      await tx.query(
        `INSERT INTO sites (site_id, site_uuid, organization_id, name, url, environment, removed_at, revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (site_id) DO UPDATE SET organization_id = excluded.organization_id, name = excluded.name, url = excluded.url,
           environment = excluded.environment, removed_at = excluded.removed_at, revision = excluded.revision
         WHERE sites.revision < excluded.revision`,
        [
          site.siteId,
          site.siteUuid,
          site.organizationId,
          site.name,
          site.url,
          site.environment,
          site.removedAt,
          site.revision,
        ],
      );
    }
  }

  /** Active people of any of these organizations, and all active superusers. */
  async peopleOf(tx: EntityManager, organizationIds: readonly number[]): Promise<Person[]> {
    return tx.query(
      `SELECT user_id AS "userId", user_uuid AS "userUuid", email, name, superuser, active,
              organization_ids AS "organizationIds", revision
       FROM people WHERE active AND (superuser OR organization_ids && $1::int[]) ORDER BY user_id`,
      [organizationIds],
    );
  }

  /** Which of these sites are removed. */
  async removedAmong(tx: EntityManager, siteIds: readonly number[]): Promise<Set<number>> {
    const rows: { id: number }[] = await tx.query(
      'SELECT site_id AS id FROM sites WHERE site_id = ANY($1::int[]) AND removed_at IS NOT NULL',
      [siteIds],
    );
    return new Set(rows.map(({ id }) => id));
  }
}
