import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from '../identity/doer.js';
import { IdentityChanges } from '../identity/identity-changes.service.js';
import { ManageOrganizations } from '../identity/manage-organizations.service.js';
import { People } from '../identity/people.service.js';
import { Permissions } from '../identity/permissions.service.js';
import type { User } from '../identity/user.entity.js';
import { Sessions } from '../session/sessions.service.js';

/** What administrators can do about how a member gets in: end her sessions, and have her written to. They never see or set a password (S18). */
@Injectable()
export class ManageMemberAccess {
  constructor(
    private readonly organizations: ManageOrganizations,
    private readonly permissions: Permissions,
    private readonly people: People,
    private readonly sessions: Sessions,
    private readonly changes: IdentityChanges,
  ) {}

  /** Her tokens are dead at once, wherever she is logged in. @throws ProblemError `not_found`, `forbidden` */
  async endSessions(organizationUuid: string, userUuid: string, doer: Doer): Promise<void> {
    const { member, organizationId } = await this.memberOf(organizationUuid, userUuid, 'member.sessions_ended', doer);
    await this.changes.unitOfWork.run(async (tx) => {
      const ended = await this.sessions.endAll(tx, member.id, 'ended_by_administrator');
      await this.changes.note(tx, lineOf(doer, 'member.sessions_ended', `user:${userUuid}`, organizationId), { ended });
    });
  }

  /** The member who shall be written to. Notes who wished it. @throws ProblemError `not_found`, `forbidden` */
  async mayHaveReset(organizationUuid: string, userUuid: string, doer: Doer): Promise<User> {
    const { member, organizationId } = await this.memberOf(organizationUuid, userUuid, 'member.reset_asked', doer);
    await this.changes.unitOfWork.run((tx) =>
      this.changes.note(tx, lineOf(doer, 'member.reset_asked', `user:${userUuid}`, organizationId), {}),
    );
    return member;
  }

  private async memberOf(
    organizationUuid: string,
    userUuid: string,
    action: string,
    doer: Doer,
  ): Promise<{ member: User; organizationId: number }> {
    const { id: organizationId } = await this.organizations.one(doer, organizationUuid);
    this.permissions.must('administer', organizationId, { action, subject: `user:${userUuid}`, doer });
    const member = await this.people.byUuid(userUuid);
    const memberships = member === null ? [] : await this.people.membershipsOf(member.id);
    if (member === null || !memberships.some((membership) => membership.organizationId === organizationId))
      throw new ProblemError('not_found', 'The organization has no such member.');
    return { member, organizationId };
  }
}
