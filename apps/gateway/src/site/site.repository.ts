import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull, Not } from 'typeorm';
import type { EntityManager, FindOptionsWhere } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { GatheredGroups, prepared } from '#libs/database';
import { NOT_QUARANTINED } from '../quarantine/released.js';
import { Site } from './site.entity.js';
import type { Quarantine } from './site.entity.js';

/** The registry of sites. Every read takes the scope of who asks; what lies outside does not exist. */
@Injectable()
export class SiteRepository {
  private readonly there = new GatheredGroups<true>();

  constructor(private readonly dataSource: DataSource) {}

  /** The site if it is in scope and not removed. With `tx` its row is locked, if it is not a guest's: she can change nothing, and is told so. */
  async find(scope: Scope, uuid: string, tx?: EntityManager): Promise<Site | null> {
    const where = within(scope).map((part) => ({ uuid, removedAt: IsNull(), ...part }));
    if (tx !== undefined) {
      const locked = await tx.findOne(Site, { where, lock: { mode: 'pessimistic_write' } });
      if (locked !== null || where.length === 1) return locked;
    }
    return (tx ?? this.dataSource.manager).findOne(Site, { where });
  }

  /** Whether `find` would find it, for what is asked often: prepared, and one statement for all that ask at once in the same scope. */
  async isThere(scope: Scope, uuid: string): Promise<boolean> {
    const found = await this.there.find(JSON.stringify(scope), uuid.toLowerCase(), (uuids) =>
      this.areThere(scope, uuids),
    );
    return found !== null;
  }

  /** Removed sites of the asker's organizations, the last removed first. */
  removed(scope: Scope, { page, per_page }: { page: number; per_page: number }): Promise<[Site[], number]> {
    return this.dataSource.manager.findAndCount(Site, {
      where: { removedAt: Not(IsNull()), ...within(scope)[0] },
      order: { removedAt: 'DESC', id: 'DESC' },
      skip: (page - 1) * per_page,
      take: per_page,
    });
  }

  /** A removed site of the asker's organizations with its row locked. */
  findRemoved(scope: Scope, uuid: string, tx: EntityManager): Promise<Site | null> {
    return tx.findOne(Site, {
      where: { uuid, removedAt: Not(IsNull()), ...within(scope)[0] },
      lock: { mode: 'pessimistic_write' },
    });
  }

  add(tx: EntityManager, site: Omit<Site, 'id' | keyof Quarantine>): Promise<Site> {
    return tx.save(tx.create(Site, { ...site, ...NOT_QUARANTINED }));
  }

  /** Writes the site as it shall be. */
  change(tx: EntityManager, site: Site): Promise<Site> {
    return tx.save(Site, { ...site, revision: site.revision + 1 });
  }

  /** Marks the site as removed. */
  remove(tx: EntityManager, site: Site, removedAt: Date): Promise<Site> {
    return tx.save(Site, { ...site, removedAt, revision: site.revision + 1 });
  }

  /** Marks all sites of an organization as removed. @returns them as they are now */
  removeAllOf(tx: EntityManager, organizationId: number, removedAt: Date): Promise<Site[]> {
    return this.mark(tx, { organizationId, removedAt: IsNull() }, removedAt);
  }

  /** Brings back those that were removed at that very moment. */
  restoreAllOf(tx: EntityManager, organizationId: number, removedAt: Date): Promise<Site[]> {
    return this.mark(tx, { organizationId, removedAt }, null);
  }

  /** Public ids of the keys of these sites that were not revoked. */
  async keysOf(tx: EntityManager, siteIds: readonly number[]): Promise<string[]> {
    const rows = await tx.query<{ public_id: string }[]>(
      'SELECT public_id FROM api_keys WHERE site_id = ANY($1) AND revoked_at IS NULL',
      [siteIds],
    );
    return rows.map((row) => row.public_id);
  }

  /** Public ids of the keys of all sites of an organization that were not revoked. */
  async keysOfAll(tx: EntityManager, organizationId: number): Promise<string[]> {
    const rows = await tx.query<{ public_id: string }[]>(
      `SELECT public_id FROM api_keys WHERE organization_id = $1 AND kind = 'site' AND revoked_at IS NULL`,
      [organizationId],
    );
    return rows.map((row) => row.public_id);
  }

  private async areThere(scope: Scope, uuids: readonly string[]): Promise<Map<string, true>> {
    const { organization_ids, shared_site_ids, site_id } = scope;
    const rows = await prepared<{ uuid: string }>(this.dataSource, ARE_THERE, [
      uuids,
      organization_ids,
      shared_site_ids,
      site_id,
    ]);
    return new Map(rows.map((row) => [row.uuid, true]));
  }

  private async mark(tx: EntityManager, which: FindOptionsWhere<Site>, removedAt: Date | null): Promise<Site[]> {
    const sites = await tx.find(Site, { where: which, order: { id: 'ASC' }, lock: { mode: 'pessimistic_write' } });
    if (sites.length === 0) return [];
    await tx.update(Site, { id: In(sites.map(({ id }) => id)) }, { removedAt, revision: () => 'revision + 1' });
    return sites.map((site) => ({ ...site, removedAt, revision: site.revision + 1 }));
  }
}

/** As `within` below. */
const ARE_THERE = `
  SELECT uuid FROM sites
  WHERE uuid = ANY ($1::uuid[]) AND removed_at IS NULL
    AND ((($2::int[] IS NULL OR organization_id = ANY ($2)) AND ($4::int IS NULL OR id = $4)) OR id = ANY ($3::int[]))`;

/** Alternatives: of the asker's organizations; shared with them. */
function within({ organization_ids, shared_site_ids, site_id }: Scope): FindOptionsWhere<Site>[] {
  if (organization_ids === null) return [site_id === undefined ? {} : { id: site_id }];
  const own = { organizationId: In(organization_ids), ...(site_id === undefined ? {} : { id: site_id }) };
  return shared_site_ids === undefined || shared_site_ids.length === 0 ? [own] : [own, { id: In(shared_site_ids) }];
}
