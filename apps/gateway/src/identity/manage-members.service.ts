import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { mustMatch } from '../http/if-match.js';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from './doer.js';
import { IdentityChanges } from './identity-changes.service.js';
import type { Membership, Role } from './membership.entity.js';
import { MembershipRepository } from './membership.repository.js';
import type { Member } from './membership.repository.js';
import { OrganizationRepository } from './organization.repository.js';
import type { Page } from './organization.repository.js';
import { Permissions } from './permissions.service.js';
import { scopeOf } from './principal.js';
import type { User } from './user.entity.js';

/** A membership that is about to change. */
interface Held {
  readonly user: User;
  readonly membership: Membership;
}

/** Who is what in an organization. Changes take effect with the person's next request: roles are read with each. */
@Injectable()
export class ManageMembers {
  constructor(
    private readonly members: MembershipRepository,
    private readonly organizations: OrganizationRepository,
    private readonly permissions: Permissions,
    private readonly changes: IdentityChanges,
  ) {}

  /** @throws ProblemError `not_found` */
  async list(doer: Doer, organizationUuid: string, page: Page): Promise<[Member[], number]> {
    const organization = await this.organizations.find(scopeOf(doer.person), organizationUuid, false);
    if (organization === null) throw nothing();
    return this.members.members(organization.id, page);
  }

  /** @throws ProblemError `not_found` */
  async one(doer: Doer, organizationUuid: string, userUuid: string): Promise<Member> {
    const organization = await this.organizations.find(scopeOf(doer.person), organizationUuid, false);
    const member = organization === null ? null : await this.members.member(organization.id, userUuid);
    if (member === null) throw nothing();
    return member;
  }

  /** @returns the next revision of the membership @throws ProblemError `not_found`, `forbidden`, `precondition_failed`, `last_administrator` */
  changeRole(organizationUuid: string, userUuid: string, role: Role, doer: Doer): Promise<number> {
    return this.hold(organizationUuid, userUuid, 'member.role_changed', doer, async (tx, { user, membership }) => {
      const { organizationId, role: before } = membership;
      if (role !== 'administrator') await this.mustNotBeLast(tx, membership);
      await this.members.revokeInvitations(tx, organizationId, user.email, this.changes.now());
      const revision = await this.members.setRole(tx, membership, role);
      await this.changes.note(tx, lineOf(doer, 'member.role_changed', `user:${user.uuid}`, organizationId), {
        before,
        after: role,
      });
      return revision;
    });
  }

  /** Whoever wants to go may; others need an administrator. @throws ProblemError `not_found`, `forbidden`, `precondition_failed`, `last_administrator` */
  remove(organizationUuid: string, userUuid: string, doer: Doer): Promise<void> {
    return this.hold(organizationUuid, userUuid, 'member.removed', doer, async (tx, { user, membership }) => {
      await this.mustNotBeLast(tx, membership);
      await this.members.revokeInvitations(tx, membership.organizationId, user.email, this.changes.now());
      await this.members.remove(tx, membership.id);
      const saved = await this.members.saveUser(tx, user);
      await this.changes.tellMember(tx, saved, await this.members.organizationIds(tx, user.id), doer);
      await this.changes.note(tx, lineOf(doer, 'member.removed', `user:${user.uuid}`, membership.organizationId), {
        role: membership.role,
      });
    });
  }

  /** Runs `work` with organization, person and membership locked, if the doer may and knows them as they are. */
  private hold<Result>(
    organizationUuid: string,
    userUuid: string,
    action: 'member.role_changed' | 'member.removed',
    doer: Doer,
    work: (tx: EntityManager, held: Held) => Promise<Result>,
  ): Promise<Result> {
    return this.changes.unitOfWork.run(async (tx) => {
      const organization = await this.organizations.find(scopeOf(doer.person), organizationUuid, false, tx);
      if (organization === null) throw nothing();
      const goes = action === 'member.removed' && doer.person.uuid === userUuid;
      if (!goes) this.permissions.must('administer', organization.id, { action, subject: `user:${userUuid}`, doer });
      const user = await this.members.lockUser(tx, userUuid);
      const membership = user === null ? null : await this.members.membership(tx, organization.id, user.id);
      if (user === null || membership === null) throw nothing();
      mustMatch(doer.ifMatch, membership.revision);
      return work(tx, { user, membership });
    });
  }

  /** An organization without an administrator could be given back to nobody but the platform. */
  private async mustNotBeLast(tx: EntityManager, membership: Membership): Promise<void> {
    if (membership.role !== 'administrator') return;
    if ((await this.members.otherAdministrators(tx, membership.organizationId, membership.userId)) > 0) return;
    throw new ProblemError('last_administrator', 'Make somebody else administrator first.');
  }
}

function nothing(): ProblemError {
  return new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
}
