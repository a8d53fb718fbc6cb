import { Injectable } from '@nestjs/common';
import { newId } from '#libs/runtime';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from '../identity/doer.js';
import { IdentityChanges } from '../identity/identity-changes.service.js';
import { ManageOrganizations } from '../identity/manage-organizations.service.js';
import { Permissions } from '../identity/permissions.service.js';
import type { Role } from '../identity/roles.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import { newOneTimeToken } from '../letter/one-time-token.js';
import type { Invitation } from './invitation.entity.js';
import { InvitationRepository } from './invitation.repository.js';

/** An invitation can be accepted for so long. */
const LIFETIME_MS = 7 * 24 * 3600_000;

export interface InvitationWish {
  readonly email: string;
  readonly role: Role;
}

/** Invites people into organizations, and takes invitations back. */
@Injectable()
export class ManageInvitations {
  constructor(
    private readonly invitations: InvitationRepository,
    private readonly organizations: ManageOrganizations,
    private readonly permissions: Permissions,
    private readonly changes: IdentityChanges,
    private readonly letters: AccountLetters,
  ) {}

  /** Those that can still be accepted. @throws ProblemError `not_found`, `forbidden` */
  async list(
    organizationUuid: string,
    doer: Doer,
    page: { page: number; per_page: number },
  ): Promise<[Invitation[], number]> {
    const organization = await this.mayInvite(organizationUuid, 'invitation.list', doer);
    return this.invitations.open(organization.id, this.changes.now(), page);
  }

  /** Writes to the address; an invitation before it is worth nothing any more. What the letter carries nobody here sees. @throws ProblemError `not_found`, `forbidden` */
  async invite(organizationUuid: string, { email, role }: InvitationWish, doer: Doer): Promise<Invitation> {
    const organization = await this.mayInvite(organizationUuid, 'invitation.sent', doer);
    const token = newOneTimeToken('pwi');
    return this.changes.unitOfWork.run(async (tx) => {
      const now = this.changes.now();
      const address = email.toLowerCase();
      await this.invitations.revokeOf(tx, organization.id, address, now);
      const invitation = await this.invitations.add(tx, {
        uuid: newId(),
        organizationId: organization.id,
        email: address,
        role,
        tokenHash: token.hash,
        invitedBy: doer.person.id,
        createdAt: now,
        expiresAt: new Date(now.getTime() + LIFETIME_MS),
        acceptedAt: null,
        revokedAt: null,
      });
      await this.letters.send(tx, {
        letter: 'invitation',
        to: { id: null, email: address, name: '' },
        organization,
        // Behind the `#`: browsers send it to nobody, so it stands in no log.
        link: { path: `/invitation#${token.text}`, validUntil: invitation.expiresAt },
      });
      await this.changes.note(tx, lineOf(doer, 'invitation.sent', `invitation:${invitation.uuid}`, organization.id), {
        // Not to whom: the log stays when she is erased.
        role,
      });
      return invitation;
    });
  }

  /** @throws ProblemError `not_found`, `forbidden` */
  async revoke(organizationUuid: string, uuid: string, doer: Doer): Promise<void> {
    const organization = await this.mayInvite(organizationUuid, 'invitation.revoked', doer);
    await this.changes.unitOfWork.run(async (tx) => {
      if (!(await this.invitations.revoke(tx, organization.id, uuid, this.changes.now())))
        throw new ProblemError('not_found', 'There is no such invitation, or it is over.');
      await this.changes.note(tx, lineOf(doer, 'invitation.revoked', `invitation:${uuid}`, organization.id), {});
    });
  }

  private async mayInvite(uuid: string, action: string, doer: Doer): Promise<{ id: number; name: string }> {
    const organization = await this.organizations.one(doer, uuid);
    this.permissions.must('administer', organization.id, { action, subject: `organization:${uuid}`, doer });
    return { id: organization.id, name: organization.name };
  }
}
