import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { Site } from '../site/site.entity.js';

/** Whose site it is, and who decides on it. */
export interface SiteOwner {
  readonly id: number;
  readonly uuid: string;
  readonly name: string;
  readonly administrators: readonly { readonly id: number; readonly email: string; readonly name: string }[];
}

/** Sites that are held and released. Everything happens in the caller's transaction: pushes must not wait for a second connection. */
@Injectable()
export class QuarantineRepository {
  /** The site with its row locked; null: it was removed. For pushes, whose key says whose it is; people come by `FindSite`. */
  lock(tx: EntityManager, siteId: number): Promise<Site | null> {
    return tx.findOne(Site, { where: { id: siteId, removedAt: IsNull() }, lock: { mode: 'pessimistic_write' } });
  }

  /** @throws Error when there is no such organization: a site has one */
  async owner(tx: EntityManager, organizationId: number): Promise<SiteOwner> {
    const rows = await tx.query<
      { uuid: string; name: string; user_id: number | null; email: string; user_name: string }[]
    >(
      `SELECT o.uuid, o.name, u.id AS user_id, u.email, u.name AS user_name
         FROM organizations o
         LEFT JOIN memberships m ON m.organization_id = o.id AND m.role = 'administrator'
         LEFT JOIN users u ON u.id = m.user_id AND u.active
        WHERE o.id = $1
        ORDER BY u.id`,
      [organizationId],
    );
    const [first] = rows;
    if (first === undefined) throw new Error(`organization ${organizationId} of a site is not there`);
    return {
      id: organizationId,
      uuid: first.uuid,
      name: first.name,
      administrators: rows.flatMap(({ user_id: id, email, user_name: name }) =>
        id === null ? [] : [{ id, email, name }],
      ),
    };
  }
}
