import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OUTBOX } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import { newId } from '#libs/runtime';
import type { Clock } from '#libs/runtime';
import { ProblemError } from '../http/problem.js';
import { CLOCK } from '../tokens.js';
import { firstRevision } from './first-revision.js';
import { memberFact } from './identity-events.js';
import { IdentityRepository } from './identity.repository.js';
import { MembershipRepository } from './membership.repository.js';
import { OrganizationRepository } from './organization.repository.js';
import type { Organization } from './organization.entity.js';
import type { Role } from './roles.js';
import type { User } from './user.entity.js';

/** Makes people members, in the transaction of what makes them so. */
@Injectable()
export class JoinOrganization {
  constructor(
    private readonly identities: IdentityRepository,
    private readonly members: MembershipRepository,
    private readonly organizations: OrganizationRepository,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The organization with its row locked; null: it was removed. */
  async organization(tx: EntityManager, id: number): Promise<Organization | null> {
    return this.organizations.lockById(tx, id);
  }

  /** A new account, of nobody's organization yet. */
  makeAccount(
    tx: EntityManager,
    person: { readonly email: string; readonly name: string; readonly passwordHash: string },
  ): Promise<User> {
    return this.identities.addUser(tx, {
      ...person,
      uuid: newId(),
      superuser: false,
      active: true,
      sessionVersion: 1,
      revision: 1,
      createdAt: this.clock.now(),
    });
  }

  /** Makes her a member, or gives her the role; tells the other services. The organization's row must be locked. @throws ProblemError `last_administrator` */
  async join(tx: EntityManager, user: User, organizationId: number, role: Role): Promise<void> {
    const held = await this.members.membership(tx, organizationId, user.id);
    if (held === null)
      await this.members.add(tx, {
        organizationId,
        userId: user.id,
        role,
        revision: firstRevision(),
        createdAt: this.clock.now(),
      });
    else {
      const steps = held.role === 'administrator' && role !== 'administrator';
      if (steps && (await this.members.otherAdministrators(tx, organizationId, user.id)) === 0)
        throw new ProblemError('last_administrator', 'You are its only administrator: make somebody else one first.');
      await this.members.setRole(tx, held, role);
    }
    const saved = await this.members.saveUser(tx, user);
    await this.outbox.add(tx, [memberFact(saved, await this.members.organizationIds(tx, user.id))]);
  }
}
