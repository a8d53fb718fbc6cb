import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProblemError } from '../http/problem.js';
import type { Plan } from './plan.entity.js';
import { PlanRepository } from './plan.repository.js';

/** Which plans there are, for the other features. */
@Injectable()
export class Plans {
  constructor(private readonly plans: PlanRepository) {}

  /** The codes of all plans by their ids. */
  async codes(tx?: EntityManager): Promise<ReadonlyMap<number, string>> {
    return new Map((await this.plans.all(tx)).map(({ id, code }) => [id, code]));
  }

  /** The plan of that code for an organization, undefined: the default. Until the transaction ends nobody removes it. @throws ProblemError `validation_failed` */
  async hold(tx: EntityManager, code: string | undefined): Promise<Plan> {
    // Who waits for a change of the default finds that the one before is it no longer, and looks once more.
    const plan = (await this.plans.hold(tx, code)) ?? (code === undefined ? await this.plans.hold(tx, code) : null);
    if (plan !== null) return plan;
    throw new ProblemError('validation_failed', 'There is no such plan: GET /api/v1/plans.', {
      errors: [{ pointer: '/plan', code: 'wrong_value', detail: 'must be the code of a plan' }],
    });
  }
}
