import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { asSystem } from '#libs/database';
import type { Page } from './organization.repository.js';
import { Membership } from './membership.entity.js';
import type { Role } from './membership.entity.js';
import { User } from './user.entity.js';

export interface Member {
  readonly uuid: string;
  readonly email: string;
  readonly name: string;
  readonly active: boolean;
  readonly role: Role;
  readonly since: Date;
}

export interface UserFilter {
  readonly active?: boolean;
  /** Part of the name or the address. */
  readonly q?: string;
}

/** People and who is what where. */
@Injectable()
export class MembershipRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Members of one organization by name. */
  async members(organizationId: number, { page, per_page }: Page): Promise<[Member[], number]> {
    const query = this.dataSource.manager
      .createQueryBuilder(Membership, 'membership')
      .innerJoin(User, 'person', 'person.id = membership.userId')
      .where('membership.organizationId = :organizationId', { organizationId });
    const total = await query.getCount();
    const rows = await query
      .orderBy('person.name')
      .addOrderBy('person.id')
      .select('person.uuid', 'uuid')
      .addSelect('person.email', 'email')
      .addSelect('person.name', 'name')
      .addSelect('person.active', 'active')
      .addSelect('membership.role', 'role')
      .addSelect('membership.created_at', 'since')
      .offset((page - 1) * per_page)
      .limit(per_page)
      .getRawMany<Member>();
    return [rows, total];
  }

  /** All accounts by address. */
  users({ active, q }: UserFilter, { page, per_page }: Page): Promise<[User[], number]> {
    const query = this.dataSource.manager.createQueryBuilder(User, 'person');
    if (active !== undefined) query.andWhere('person.active = :active', { active });
    if (q !== undefined)
      query.andWhere('(person.email ILIKE :q OR person.name ILIKE :q)', { q: `%${q.replaceAll(/[\\%_]/g, '\\$&')}%` });
    return query
      .orderBy('person.email')
      .skip((page - 1) * per_page)
      .take(per_page)
      .getManyAndCount();
  }

  /** The account with its row locked. */
  lockUser(tx: EntityManager, uuid: string): Promise<User | null> {
    return tx.findOne(User, { where: { uuid }, lock: { mode: 'pessimistic_write' } });
  }

  /** Writes the account with its next revision. */
  saveUser(tx: EntityManager, user: User): Promise<User> {
    return tx.save(User, { ...user, revision: user.revision + 1 });
  }

  membership(tx: EntityManager, organizationId: number, userId: number): Promise<Membership | null> {
    return tx.findOneBy(Membership, { organizationId, userId });
  }

  async setRole(tx: EntityManager, id: number, role: Role): Promise<void> {
    await tx.update(Membership, { id }, { role });
  }

  async remove(tx: EntityManager, id: number): Promise<void> {
    await tx.delete(Membership, { id });
  }

  add(tx: EntityManager, membership: Omit<Membership, 'id'>): Promise<Membership> {
    return tx.save(tx.create(Membership, membership));
  }

  /** Active administrators of an organization besides that one. The organization's row must be locked. */
  async otherAdministrators(tx: EntityManager, organizationId: number, userId: number): Promise<number> {
    return tx
      .createQueryBuilder(Membership, 'membership')
      .innerJoin(User, 'person', 'person.id = membership.userId AND person.active')
      .where(`membership.organizationId = :organizationId AND membership.role = 'administrator'`, { organizationId })
      .andWhere('membership.userId <> :userId', { userId })
      .getCount();
  }

  /** Active superusers besides that one. */
  otherSuperusers(tx: EntityManager, userId: number): Promise<number> {
    return tx
      .createQueryBuilder(User, 'person')
      .where('person.superuser AND person.active AND person.id <> :userId', { userId })
      .getCount();
  }

  /** The organizations she belongs to, removed ones too, and those that who asks does not see: for telling other services, not people. */
  async organizationIds(tx: EntityManager, userId: number): Promise<number[]> {
    const memberships = await asSystem(() =>
      tx.find(Membership, { where: { userId }, order: { organizationId: 'ASC' } }),
    );
    return memberships.map(({ organizationId }) => organizationId);
  }
}
