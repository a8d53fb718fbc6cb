import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { asSystem, sqlState } from '#libs/database';
import { ProblemError } from '../http/problem.js';
import { IdentityChanges } from '../identity/identity-changes.service.js';
import { JoinOrganization } from '../identity/join-organization.service.js';
import { People } from '../identity/people.service.js';
import type { User } from '../identity/user.entity.js';
import { hashOfToken } from '../letter/one-time-token.js';
import { CheckPassword, invalidCredentials } from '../login/check-password.service.js';
import { NewPasswords } from '../login/change-password.service.js';
import type { Origin } from '../session/origin.js';
import type { Invitation } from './invitation.entity.js';
import { InvitationRepository } from './invitation.repository.js';

export interface Acceptance {
  readonly token: string;
  /** Of a new account; null: not told. */
  readonly name: string | null;
  /** The one that the account has, or shall have. */
  readonly password: string;
}

const UNIQUE_VIOLATION = '23505';

/** What of an account a new member needs. */
@Injectable()
export class NewMembers {
  constructor(
    readonly people: People,
    readonly passwords: CheckPassword,
    readonly newPasswords: NewPasswords,
    readonly joining: JoinOrganization,
  ) {}
}

/** Makes who was invited a member: with the account of that address, or a new one. It does not log in. */
@Injectable()
export class AcceptInvitation {
  constructor(
    private readonly invitations: InvitationRepository,
    private readonly members: NewMembers,
    private readonly changes: IdentityChanges,
  ) {}

  /** @throws ProblemError `invalid_link`, `invalid_credentials`, `validation_failed`, `last_administrator`, `too_many_attempts` */
  accept(acceptance: Acceptance, origin: Origin): Promise<{ email: string; organization: string }> {
    // The link says whose it is: before it is accepted, she is nobody of that organization.
    return asSystem(async () => {
      try {
        return await this.acceptNow(acceptance, origin);
      } catch (error) {
        // Another invitation made the account meanwhile: it is there now, and wants its password.
        if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
        return this.acceptNow(acceptance, origin);
      }
    });
  }

  private async acceptNow(
    { token, name, password }: Acceptance,
    origin: Origin,
  ): Promise<{ email: string; organization: string }> {
    const hash = hashOfToken(token);
    const invitation = await this.invitations.byToken(hash, this.changes.now());
    if (invitation === null) throw over();
    const existing = await this.members.people.byEmail(invitation.email);
    // Whoever has the mail has not the account yet: an account wants its password.
    const proven =
      existing === null ? null : await this.members.passwords.ofAccount(invitation.email, password, origin);
    const account = existing === null ? await this.newAccount(invitation.email, name, password) : null;
    return this.changes.unitOfWork.run(async (tx) => {
      const held = await this.invitations.byToken(hash, this.changes.now(), tx);
      const organization = held === null ? null : await this.members.joining.organization(tx, held.organizationId);
      if (held === null || organization === null) throw over();
      const user =
        account === null ? await this.stillProven(tx, proven!) : await this.members.joining.makeAccount(tx, account);
      await this.members.joining.join(tx, user, held.organizationId, held.role);
      await this.invitations.accepted(tx, held.id, this.changes.now());
      await this.changes.note(tx, line(held, user.uuid, origin), { role: held.role, new_account: existing === null });
      return { email: held.email, organization: organization.name };
    });
  }

  /** The account with its row locked. @throws ProblemError `invalid_credentials` when it was disabled or erased, or its password changed, since it was checked */
  private async stillProven(tx: EntityManager, { uuid, passwordHash }: User): Promise<User> {
    const user = await this.members.people.lock(tx, uuid);
    if (user.active && user.passwordHash === passwordHash) return user;
    throw invalidCredentials();
  }

  private async newAccount(
    email: string,
    name: string | null,
    password: string,
  ): Promise<{ email: string; name: string; passwordHash: string }> {
    if (name === null) {
      throw new ProblemError('validation_failed', 'A new account needs a name.', {
        errors: [{ pointer: '/name', code: 'required', detail: 'is needed' }],
      });
    }
    const person = { id: 0, email, name, memberships: [] };
    return { email, name, passwordHash: await this.members.newPasswords.hashFor(person, password, '/password') };
  }
}

function line(invitation: Invitation, user: string, origin: Origin) {
  return {
    action: 'invitation.accepted',
    actor: `user:${user}`,
    subject: `invitation:${invitation.uuid}`,
    organizationId: invitation.organizationId,
    address: origin.address,
    requestId: origin.requestId,
  };
}

function over(): ProblemError {
  return new ProblemError('invalid_link', 'The link was used, taken back, or is too old. Ask for another.');
}
