import { Injectable } from '@nestjs/common';
import { DataSource, ILike, In, IsNull, Not } from 'typeorm';
import type { EntityManager, FindOptionsWhere } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { OrganizationRevision } from './organization-revision.entity.js';
import { Organization } from './organization.entity.js';
import { Plan } from '../plan/plan.entity.js';

export interface OrganizationFilter {
  readonly removed: boolean;
  /** Part of the name. */
  readonly q?: string;
}

export interface Page {
  readonly page: number;
  readonly per_page: number;
}

/** Organizations and what they were before. Every read takes the scope of who asks. */
@Injectable()
export class OrganizationRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** With `tx` the row is locked. */
  find(scope: Scope, uuid: string, removed: boolean, tx?: EntityManager): Promise<Organization | null> {
    return (tx ?? this.dataSource.manager).findOne(Organization, {
      where: { uuid, removedAt: removed ? Not(IsNull()) : IsNull(), ...within(scope) },
      ...(tx === undefined ? {} : { lock: { mode: 'pessimistic_write' as const } }),
    });
  }

  /** By its inner id, with its row locked; null: it was removed. For what an organization has granted before. */
  lockById(tx: EntityManager, id: number): Promise<Organization | null> {
    return tx.findOne(Organization, { where: { id, removedAt: IsNull() }, lock: { mode: 'pessimistic_write' } });
  }

  /** By name. */
  async list(scope: Scope, { removed, q }: OrganizationFilter, page: Page): Promise<[Organization[], number]> {
    return this.dataSource.manager.findAndCount(Organization, {
      where: {
        removedAt: removed ? Not(IsNull()) : IsNull(),
        ...within(scope),
        ...(q === undefined ? {} : { name: ILike(`%${q.replaceAll(/[\\%_]/g, '\\$&')}%`) }),
      },
      order: { name: 'ASC', id: 'ASC' },
      skip: (page.page - 1) * page.per_page,
      take: page.per_page,
    });
  }

  /** Writes the organization as it shall be, and keeps it as a revision. */
  async save(tx: EntityManager, organization: Omit<Organization, 'id'>, by: string, at: Date): Promise<Organization> {
    const saved = await tx.save(tx.create(Organization, organization));
    const plan = await tx.findOneByOrFail(Plan, { id: saved.planId });
    await tx.insert(OrganizationRevision, {
      organizationId: saved.id,
      revision: saved.revision,
      name: saved.name,
      timeZone: saved.timeZone,
      requiresSecondFactor: saved.requiresSecondFactor,
      plan: plan.code,
      removedAt: saved.removedAt,
      changedAt: at,
      changedBy: by,
    });
    return saved;
  }

  /** The newest first. */
  revisions(organizationId: number, page: Page): Promise<[OrganizationRevision[], number]> {
    return this.dataSource.manager.findAndCount(OrganizationRevision, {
      where: { organizationId },
      order: { revision: 'DESC' },
      skip: (page.page - 1) * page.per_page,
      take: page.per_page,
    });
  }
}

function within(scope: Scope): FindOptionsWhere<Organization> {
  return scope.organization_ids === null ? {} : { id: In(scope.organization_ids) };
}
