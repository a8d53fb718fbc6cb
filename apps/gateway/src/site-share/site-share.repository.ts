import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { asSystem } from '#libs/database';
import { Organization } from '../identity/organization.entity.js';
import { SiteShare } from './site-share.entity.js';

/** An organization that may read a site of another. */
export interface Guest {
  readonly id: number;
  readonly uuid: string;
  readonly name: string;
  readonly since: Date;
}

/** Which sites are shared with whom. The other organization is one that who asks may not see: it is looked up for the platform. */
@Injectable()
export class SiteShareRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** By name; organizations that were removed are left out, and come back with their restoration. */
  guests(siteId: number): Promise<Guest[]> {
    return asSystem(() =>
      this.dataSource.manager
        .createQueryBuilder(SiteShare, 'share')
        .innerJoin(Organization, 'guest', 'guest.id = share.guestOrganizationId AND guest.removedAt IS NULL')
        .where('share.siteId = :siteId', { siteId })
        .orderBy('guest.name')
        .addOrderBy('guest.id')
        .select('guest.id', 'id')
        .addSelect('guest.uuid', 'uuid')
        .addSelect('guest.name', 'name')
        .addSelect('share.created_at', 'since')
        .getRawMany<Guest>(),
    );
  }

  /** The organization of that UUID that is not removed, whoever asks. */
  organization(tx: EntityManager, uuid: string): Promise<Organization | null> {
    return asSystem(() =>
      tx
        .createQueryBuilder(Organization, 'organization')
        .where('organization.uuid = :uuid AND organization.removedAt IS NULL', { uuid })
        .getOne(),
    );
  }

  /** @returns false: it was shared before */
  async add(tx: EntityManager, share: Omit<SiteShare, 'id'>): Promise<boolean> {
    const { identifiers } = await tx.createQueryBuilder().insert().into(SiteShare).values(share).orIgnore().execute();
    return identifiers[0] !== undefined;
  }

  /** Also for the guest, who may leave. @returns false: it was not shared */
  async remove(tx: EntityManager, siteId: number, guestOrganizationId: number): Promise<boolean> {
    const { affected } = await asSystem(() => tx.delete(SiteShare, { siteId, guestOrganizationId }));
    return affected === 1;
  }
}
