import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProblemError } from '../http/problem.js';
import { PlanRepository } from './plan.repository.js';

/** Holds organizations to the number of sites that their plan has room for. */
@Injectable()
export class SiteLimit {
  constructor(private readonly plans: PlanRepository) {}

  /**
   * Call it before a site is added, in the same transaction: of two that come for the last place, one gets it. What an organization has, it keeps, also
   * when its plan gets smaller. Of a creation and the removal of its organization, the first one counts. @throws ProblemError `not_found`, `plan_limit_reached`
   */
  async mustHaveRoom(tx: EntityManager, organizationId: number): Promise<void> {
    const room = await this.plans.roomOf(tx, organizationId);
    // A site that came after would live, and push, in an organization that is gone.
    if (room === null) throw new ProblemError('not_found', 'The organization was removed.');
    // Without a limit nobody waits for anybody.
    if (room.mostSites === null) return;
    const sites = await this.plans.sitesOf(tx, organizationId);
    if (sites < room.mostSites) return;
    throw new ProblemError(
      'plan_limit_reached',
      `The plan "${room.code}" has room for ${room.mostSites} sites, and the organization has ${sites}.`,
    );
  }
}
