import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull } from 'typeorm';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { asSystem } from '#libs/database';
import { Plan } from '../plan/plan.entity.js';
import { Membership } from './membership.entity.js';
import type { Role } from './membership.entity.js';
import { OrganizationRevision } from './organization-revision.entity.js';
import { Organization } from './organization.entity.js';
import { User } from './user.entity.js';

export interface MembershipRow {
  readonly organizationId: number;
  readonly organizationUuid: string;
  readonly role: Role;
}

/** Organizations, people and who is what where. Reading people is no tenant's affair: it happens before anyone is somebody. */
@Injectable()
export class IdentityRepository {
  constructor(private readonly dataSource: DataSource) {}

  userByEmail(email: string): Promise<User | null> {
    return this.dataSource.manager.findOneBy(User, { email: email.toLowerCase() });
  }

  userByUuid(uuid: string): Promise<User | null> {
    return this.dataSource.manager.findOneBy(User, { uuid });
  }

  userById(id: number): Promise<User | null> {
    return this.dataSource.manager.findOneBy(User, { id });
  }

  lockUser(tx: EntityManager, uuid: string): Promise<User> {
    return tx.findOneOrFail(User, { where: { uuid }, lock: { mode: 'pessimistic_write' } });
  }

  anyUser(tx: EntityManager): Promise<boolean> {
    return tx.exists(User);
  }

  /** Memberships in organizations that were not removed. */
  membershipsOf(userId: number): Promise<MembershipRow[]> {
    return asSystem(() =>
      this.dataSource.manager
        .createQueryBuilder(Membership, 'membership')
        .innerJoin(
          Organization,
          'organization',
          'organization.id = membership.organizationId AND organization.removedAt IS NULL',
        )
        .where('membership.userId = :userId', { userId })
        .orderBy('membership.organizationId')
        .select('membership.organizationId', 'organizationId')
        .addSelect('organization.uuid', 'organizationUuid')
        .addSelect('membership.role', 'role')
        .getRawMany<MembershipRow>(),
    );
  }

  /** Organizations in scope, by name; those that were removed are gone. */
  organizations(scope: Scope): Promise<Organization[]> {
    return this.dataSource.manager.find(Organization, {
      where: { removedAt: IsNull(), ...(scope.organization_ids === null ? {} : { id: In(scope.organization_ids) }) },
      order: { name: 'ASC', id: 'ASC' },
    });
  }

  /** The platform's own doing: it has the default plan, and its first revision nobody's name. */
  async addOrganization(tx: EntityManager, organization: Omit<Organization, 'id' | 'planId'>): Promise<Organization> {
    const plan = await tx.findOneByOrFail(Plan, { isDefault: true });
    const added = await tx.save(tx.create(Organization, { ...organization, planId: plan.id }));
    await tx.insert(OrganizationRevision, {
      organizationId: added.id,
      revision: added.revision,
      name: added.name,
      timeZone: added.timeZone,
      plan: plan.code,
      removedAt: null,
      changedAt: added.createdAt,
      changedBy: null,
    });
    return added;
  }

  addUser(tx: EntityManager, user: Omit<User, 'id'>): Promise<User> {
    return tx.save(tx.create(User, user));
  }

  addMembership(tx: EntityManager, membership: Omit<Membership, 'id'>): Promise<Membership> {
    return tx.save(tx.create(Membership, membership));
  }

  async changePasswordHash(
    userId: number,
    change: { readonly from: string; readonly to: string },
    tx?: EntityManager,
  ): Promise<boolean> {
    const { affected } = await (tx ?? this.dataSource.manager).update(
      User,
      { id: userId, passwordHash: change.from },
      { passwordHash: change.to },
    );
    return affected === 1;
  }
}
