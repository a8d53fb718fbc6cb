import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { Plan } from './plan.entity.js';

/** How many sites an organization may have by its plan. */
export interface RoomForSites {
  /** Of the plan. */
  readonly code: string;
  /** null: as many as they like. */
  readonly mostSites: number | null;
}

/** Any fixed number: whoever changes plans holds it. */
const PLANS_LOCK = 4_711_207;

/** Plans. Who reads them needs no scope; writing is for the platform, in Postgres too. */
@Injectable()
export class PlanRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** By code. */
  list({ page, per_page }: { page: number; per_page: number }): Promise<[Plan[], number]> {
    return this.dataSource.manager.findAndCount(Plan, {
      order: { code: 'ASC' },
      skip: (page - 1) * per_page,
      take: per_page,
    });
  }

  all(tx?: EntityManager): Promise<Plan[]> {
    return (tx ?? this.dataSource.manager).find(Plan);
  }

  byCode(code: string): Promise<Plan | null> {
    return this.dataSource.manager.findOneBy(Plan, { code });
  }

  /** The plan of that code, undefined: the default. Until the transaction ends nobody removes it. */
  hold(tx: EntityManager, code: string | undefined): Promise<Plan | null> {
    return tx.findOne(Plan, {
      where: code === undefined ? { isDefault: true } : { code },
      lock: { mode: 'pessimistic_read' },
    });
  }

  /** Until the transaction ends nobody else changes plans. */
  async lock(tx: EntityManager): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [PLANS_LOCK]);
  }

  /** With its row locked: nobody gives it to an organization meanwhile. */
  lockByCode(tx: EntityManager, code: string): Promise<Plan | null> {
    return tx.findOne(Plan, { where: { code }, lock: { mode: 'pessimistic_write' } });
  }

  /** From now on there is no default; whoever calls it makes another one in the same transaction. */
  async dropDefault(tx: EntityManager, at: Date): Promise<void> {
    await tx.update(Plan, { isDefault: true }, { isDefault: false, changedAt: at, revision: () => 'revision + 1' });
  }

  save(tx: EntityManager, plan: Omit<Plan, 'id'> & { readonly id?: number }): Promise<Plan> {
    return tx.save(Plan, plan as Plan);
  }

  async remove(tx: EntityManager, id: number): Promise<void> {
    await tx.delete(Plan, { id });
  }

  /** Organizations that have the plan, removed ones included: they can come back. */
  async organizationsOf(tx: EntityManager, id: number): Promise<number> {
    const [row] = await tx.query<[{ n: number }]>(
      'SELECT count(*)::integer AS n FROM organizations WHERE plan_id = $1',
      [id],
    );
    return row.n;
  }

  /** null: there is no such organization for who asks, or it was removed. Until the transaction ends nobody removes it. */
  async roomOf(tx: EntityManager, organizationId: number): Promise<RoomForSites | null> {
    const [organization] = await tx.query<{ plan_id: number }[]>(
      // The lock is the one that a site's foreign key takes anyway. Who had to wait for a removal sees the row as that left it.
      'SELECT plan_id FROM organizations WHERE id = $1 AND removed_at IS NULL FOR KEY SHARE',
      [organizationId],
    );
    if (organization === undefined) return null;
    // A statement of its own: joined to the first, the plan of before the wait would be held against that of after it, and nothing be found.
    const { code, mostSites } = await tx.findOneByOrFail(Plan, { id: organization.plan_id });
    return { code, mostSites };
  }

  /** Sites that the organization has. Until the transaction ends, nobody else who asks this gets an answer. */
  async sitesOf(tx: EntityManager, organizationId: number): Promise<number> {
    await tx.query('SELECT id FROM organizations WHERE id = $1 FOR NO KEY UPDATE', [organizationId]);
    // A statement of its own: it sees what those before us added.
    const [row] = await tx.query<[{ n: number }]>(
      'SELECT count(*)::integer AS n FROM sites WHERE organization_id = $1 AND removed_at IS NULL',
      [organizationId],
    );
    return row.n;
  }
}
