import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EntityManager, SelectQueryBuilder } from 'typeorm';
import { asSystem } from '#libs/database';
import type { Page } from './organization.repository.js';
import { Membership } from './membership.entity.js';
import type { Role } from './membership.entity.js';
import { User } from './user.entity.js';

/** Any fixed number: whoever lessens the superusers holds it. */
const SUPERUSERS_LOCK = 4_711_206;

export interface Member {
  readonly uuid: string;
  readonly email: string;
  readonly name: string;
  readonly active: boolean;
  readonly role: Role;
  /** Of the membership. */
  readonly revision: number;
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
    const total = await this.membersOf(organizationId).getCount();
    const rows = await this.shown(organizationId)
      .orderBy('person.name')
      .addOrderBy('person.id')
      .offset((page - 1) * per_page)
      .limit(per_page)
      .getRawMany<Member>();
    return [rows, total];
  }

  /** One member of an organization, by the UUID of her account. */
  async member(organizationId: number, uuid: string): Promise<Member | null> {
    return (await this.shown(organizationId).andWhere('person.uuid = :uuid', { uuid }).getRawOne<Member>()) ?? null;
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

  user(uuid: string): Promise<User | null> {
    return this.dataSource.manager.findOneBy(User, { uuid });
  }

  /** The account with its row locked. */
  lockUser(tx: EntityManager, uuid: string): Promise<User | null> {
    return tx.findOne(User, { where: { uuid }, lock: { mode: 'pessimistic_write' } });
  }

  /** Writes the account with its next revision. */
  saveUser(tx: EntityManager, user: User): Promise<User> {
    return tx.save(User, { ...user, revision: user.revision + 1 });
  }

  /** With its row locked. */
  membership(tx: EntityManager, organizationId: number, userId: number): Promise<Membership | null> {
    return tx.findOne(Membership, { where: { organizationId, userId }, lock: { mode: 'pessimistic_write' } });
  }

  /** @returns the next revision of the membership */
  async setRole(tx: EntityManager, { id, revision }: Membership, role: Role): Promise<number> {
    await tx.update(Membership, { id }, { role, revision: revision + 1 });
    return revision + 1;
  }

  async remove(tx: EntityManager, id: number): Promise<void> {
    await tx.delete(Membership, { id });
  }

  /** Takes back what would make her a member, or give her a role, that somebody has just decided otherwise about. */
  async revokeInvitations(tx: EntityManager, organizationId: number, email: string, at: Date): Promise<void> {
    await tx.query(
      `UPDATE invitations SET revoked_at = $3
        WHERE organization_id = $1 AND email = lower($2) AND accepted_at IS NULL AND revoked_at IS NULL`,
      [organizationId, email, at],
    );
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

  /** Active superusers besides that one. Until the transaction ends nobody else who asks this gets an answer: of two who are about to go, one stays. */
  async otherSuperusers(tx: EntityManager, userId: number): Promise<number> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [SUPERUSERS_LOCK]);
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

  private membersOf(organizationId: number): SelectQueryBuilder<Membership> {
    return this.dataSource.manager
      .createQueryBuilder(Membership, 'membership')
      .innerJoin(User, 'person', 'person.id = membership.userId')
      .where('membership.organizationId = :organizationId', { organizationId });
  }

  private shown(organizationId: number): SelectQueryBuilder<Membership> {
    return this.membersOf(organizationId)
      .select('person.uuid', 'uuid')
      .addSelect('person.email', 'email')
      .addSelect('person.name', 'name')
      .addSelect('person.active', 'active')
      .addSelect('membership.role', 'role')
      .addSelect('membership.revision', 'revision')
      .addSelect('membership.created_at', 'since');
  }
}
