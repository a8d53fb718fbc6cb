import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { mustMatch } from '../http/if-match.js';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from '../identity/doer.js';
import { IdentityChanges } from '../identity/identity-changes.service.js';
import { Permissions } from '../identity/permissions.service.js';
import { KeyChanges } from '../site-key/key-changes.service.js';
import type { Figures } from './figures.js';
import type { Plan } from './plan.entity.js';
import { PlanRepository } from './plan.repository.js';

/** What people say of a plan. */
export interface PlanWords {
  readonly name: string;
  readonly figures: Figures;
  readonly personRequestsPerMinute: number;
  readonly keyRequestsPerMinute: number;
  readonly pushesPerMinute: number;
  readonly mostSites: number | null;
}

/** Reads plans for everybody; superusers add, change and remove them. */
@Injectable()
export class ManagePlans {
  constructor(
    private readonly plans: PlanRepository,
    private readonly permissions: Permissions,
    private readonly changes: IdentityChanges,
    private readonly keys: KeyChanges,
  ) {}

  /** By code. */
  list(page: { page: number; per_page: number }): Promise<[Plan[], number]> {
    return this.plans.list(page);
  }

  /** @throws ProblemError `not_found` */
  async one(code: string): Promise<Plan> {
    return found(await this.plans.byCode(code));
  }

  /** @throws ProblemError `forbidden`, `plan_exists` */
  create(code: string, words: PlanWords & { readonly isDefault: boolean }, doer: Doer): Promise<Plan> {
    this.permissions.mustBeSuperuser(attempt('plan.created', code, doer));
    return this.changes.unitOfWork.run(async (tx) => {
      await this.plans.lock(tx);
      if ((await this.plans.lockByCode(tx, code)) !== null)
        throw new ProblemError('plan_exists', `There is a plan "${code}" already. Change it with PATCH.`);
      const now = this.changes.now();
      if (words.isDefault) await this.plans.dropDefault(tx, now);
      const plan = await this.plans.save(tx, { code, ...words, revision: 1, createdAt: now, changedAt: now });
      await this.note(tx, 'plan.created', plan, doer, { after: described(plan) });
      return plan;
    });
  }

  /** Limits count within 30 s, for people with their next request. @throws ProblemError `forbidden`, `not_found`, `precondition_failed` */
  async change(code: string, words: Partial<PlanWords> & { readonly isDefault?: true }, doer: Doer): Promise<Plan> {
    this.permissions.mustBeSuperuser(attempt('plan.changed', code, doer));
    const { before, after } = await this.changes.unitOfWork.run(async (tx) => {
      await this.plans.lock(tx);
      const before = found(await this.plans.lockByCode(tx, code));
      mustMatch(doer.ifMatch, before.revision);
      const wanted = { ...before, ...words };
      if (isDeepStrictEqual(described(wanted), described(before))) return { before, after: before };
      const now = this.changes.now();
      if (wanted.isDefault && !before.isDefault) await this.plans.dropDefault(tx, now);
      const after = await this.plans.save(tx, { ...wanted, revision: before.revision + 1, changedAt: now });
      await this.note(tx, 'plan.changed', after, doer, { before: described(before), after: described(after) });
      return { before, after };
    });
    const isSame =
      before.pushesPerMinute === after.pushesPerMinute && before.keyRequestsPerMinute === after.keyRequestsPerMinute;
    if (!isSame) await this.keys.announceAll();
    return after;
  }

  /** @throws ProblemError `forbidden`, `not_found`, `precondition_failed`, `plan_is_default`, `plan_in_use` */
  remove(code: string, doer: Doer): Promise<void> {
    this.permissions.mustBeSuperuser(attempt('plan.removed', code, doer));
    return this.changes.unitOfWork.run(async (tx) => {
      await this.plans.lock(tx);
      const plan = found(await this.plans.lockByCode(tx, code));
      mustMatch(doer.ifMatch, plan.revision);
      if (plan.isDefault) throw new ProblemError('plan_is_default', 'Make another plan the default first.');
      const organizations = await this.plans.organizationsOf(tx, plan.id);
      if (organizations > 0)
        throw new ProblemError('plan_in_use', `${organizations} organizations have it. Give them another plan first.`);
      await this.plans.remove(tx, plan.id);
      await this.note(tx, 'plan.removed', plan, doer, { before: described(plan) });
    });
  }

  private note(
    tx: EntityManager,
    action: string,
    plan: Plan,
    doer: Doer,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    return this.changes.note(tx, lineOf(doer, action, `plan:${plan.code}`, null), detail);
  }
}

function attempt(action: string, code: string, doer: Doer): { action: string; subject: string; doer: Doer } {
  return { action, subject: `plan:${code}`, doer };
}

function found(plan: Plan | null): Plan {
  if (plan === null) throw new ProblemError('not_found', 'There is no such plan.');
  return plan;
}

/** What people can change of it, as they and the audit log are shown it. */
export function described(plan: PlanWords & { readonly isDefault: boolean }): Record<string, unknown> {
  return {
    name: plan.name,
    figures: plan.figures,
    person_requests_per_minute: plan.personRequestsPerMinute,
    key_requests_per_minute: plan.keyRequestsPerMinute,
    pushes_per_minute: plan.pushesPerMinute,
    most_sites: plan.mostSites,
    is_default: plan.isDefault,
  };
}
