import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { OUTBOX } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import { ProblemError } from '../http/problem.js';
import { memberFact } from './identity-events.js';
import { MembershipRepository } from './membership.repository.js';
import type { Organization } from './organization.entity.js';
import { OrganizationRepository } from './organization.repository.js';
import type { User } from './user.entity.js';

/** What an erasure must know of organizations and people, and tell of them. */
@Injectable()
export class IdentityErasure {
  constructor(
    private readonly organizations: OrganizationRepository,
    private readonly members: MembershipRepository,
    @Inject(OUTBOX) private readonly outbox: Outbox,
  ) {}

  /** The removed organization with its row locked. @throws ProblemError `not_found`, `validation_failed` while it is not removed */
  async removedOrganization(tx: EntityManager, scope: Scope, uuid: string): Promise<Organization> {
    const removed = await this.organizations.find(scope, uuid, true, tx);
    if (removed !== null) return removed;
    if ((await this.organizations.find(scope, uuid, false, tx)) === null)
      throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
    throw new ProblemError('validation_failed', 'Remove the organization first: it can be restored, this cannot.', {
      errors: [{ pointer: '/id', code: 'wrong_value', detail: 'is an organization in use' }],
    });
  }

  /** The account with its row locked. @throws ProblemError `not_found`, `last_administrator` for the last superuser */
  async dispensablePerson(tx: EntityManager, uuid: string): Promise<User> {
    const user = await this.members.lockUser(tx, uuid);
    if (user === null) throw new ProblemError('not_found', 'There is no such account.');
    if (user.superuser && user.active && (await this.members.otherSuperusers(tx, user.id)) === 0)
      throw new ProblemError('last_administrator', 'Make somebody else superuser first.');
    return user;
  }

  /** What these people belong to now. */
  async tellMembers(tx: EntityManager, uuids: readonly string[]): Promise<void> {
    for (const uuid of uuids) {
      const user = await this.members.lockUser(tx, uuid);
      if (user === null) continue;
      const saved = await this.members.saveUser(tx, user);
      await this.outbox.add(tx, [memberFact(saved, await this.members.organizationIds(tx, user.id))]);
    }
  }
}
