import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { asSystem } from '#libs/database';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import type { UserPrincipal } from '../identity/principal.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import { SecondFactors } from '../second-factor/second-factors.service.js';
import type { Origin } from '../session/origin.js';
import { Sessions } from '../session/sessions.service.js';
import { CheckPassword } from './check-password.service.js';
import { faultOf } from './password-policy.js';
import { PasswordHasher } from './password-hasher.service.js';

export interface PasswordChange {
  readonly current: string;
  readonly wanted: string;
  /** Whoever is logged in as her elsewhere is so no longer. */
  readonly endOtherSessions: boolean;
}

/** Where changes of passwords are written. */
@Injectable()
export class PasswordChanges {
  constructor(
    @Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>,
    readonly audit: AuditLog,
    readonly letters: AccountLetters,
  ) {}
}

/** Makes hashes of passwords that may be used. */
@Injectable()
export class NewPasswords {
  constructor(
    private readonly people: People,
    private readonly factors: SecondFactors,
    private readonly hasher: PasswordHasher,
  ) {}

  /**
   * The hash of a password that the person may take.
   * @param pointer where the password stands in the body
   * @throws ProblemError `validation_failed`
   */
  async hashFor(
    person: Pick<UserPrincipal, 'id' | 'email' | 'name' | 'memberships'>,
    password: string,
    pointer: string,
  ): Promise<string> {
    const own = { organization_ids: person.memberships.map(({ organizationId }) => organizationId) };
    // Also for who is not logged in: she resets it, or accepts an invitation.
    const organizations = await asSystem(() => this.people.organizations(own));
    const fault = faultOf(password, {
      email: person.email,
      name: person.name,
      organizations: organizations.map(({ name }) => name),
      hasSecondFactor: await this.factors.isOn(person.id),
    });
    if (fault !== null)
      throw new ProblemError('validation_failed', 'This password cannot be taken.', {
        errors: [{ pointer, ...fault }],
      });
    return this.hasher.hash(password);
  }
}

/** Lets a person change her password. */
@Injectable()
export class ChangePassword {
  constructor(
    private readonly passwords: CheckPassword,
    private readonly newPasswords: NewPasswords,
    private readonly people: People,
    private readonly sessions: Sessions,
    private readonly changes: PasswordChanges,
  ) {}

  /** @throws ProblemError `wrong_password`, `too_many_attempts`, `validation_failed` */
  async change(person: UserPrincipal, change: PasswordChange, origin: Origin): Promise<void> {
    if (await this.changeOnce(person, change, origin)) return;
    // Between the check and the change another was made, a reset for instance, or it was hashed anew: only the first is a no.
    if (!(await this.changeOnce(person, change, origin)))
      throw new ProblemError('wrong_password', 'The password was changed at the same time, more than once.');
  }

  /** @returns false: the password that was checked is not the one of now */
  private async changeOnce(
    person: UserPrincipal,
    { current, wanted, endOtherSessions }: PasswordChange,
    origin: Origin,
  ): Promise<boolean> {
    const { passwordHash: from } = await this.passwords.ofPerson(person, current, origin);
    const to = await this.newPasswords.hashFor(person, wanted, '/new_password');
    return this.changes.unitOfWork.run(async (tx) => {
      if (!(await this.people.changePasswordHash(person.id, { from, to }, tx))) return false;
      const ended = endOtherSessions
        ? await this.sessions.endAll(tx, person.id, 'password_changed', person.session.uuid)
        : 0;
      await this.changes.letters.send(tx, { letter: 'password_changed', to: person, origin });
      await this.changes.audit.record(tx, {
        action: 'password.changed',
        actor: `user:${person.uuid}`,
        subject: `user:${person.uuid}`,
        address: origin.address,
        requestId: origin.requestId,
        detail: { sessions_ended: ended },
      });
      return true;
    });
  }
}
