import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import { IdentityChanges } from '../identity/identity-changes.service.js';
import { People } from '../identity/people.service.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import { hashOfToken } from '../letter/one-time-token.js';
import { NewPasswords } from '../login/change-password.service.js';
import type { Origin } from '../session/origin.js';
import { Sessions } from '../session/sessions.service.js';
import { lineOfReset, markOf } from './ask-reset.service.js';
import { PasswordResetRepository } from './password-reset.repository.js';

/** What a password belongs to. */
@Injectable()
export class ResetParts {
  constructor(
    readonly people: People,
    readonly newPasswords: NewPasswords,
    readonly sessions: Sessions,
  ) {}
}

/** Sets a new password for who has the link of the mail. It logs nobody in, and a second factor stays as it is. */
@Injectable()
export class ResetPassword {
  constructor(
    private readonly resets: PasswordResetRepository,
    private readonly parts: ResetParts,
    private readonly changes: IdentityChanges,
    private readonly letters: AccountLetters,
  ) {}

  /** All sessions end. @throws ProblemError `invalid_link`, `validation_failed` */
  async reset(token: string, password: string, origin: Origin): Promise<void> {
    const tokenHash = hashOfToken(token);
    const asked = await this.resets.byToken(tokenHash, this.changes.now());
    const user = asked === null ? null : await this.parts.people.byId(asked.userId);
    if (user === null) throw over();
    const memberships = await this.parts.people.membershipsOf(user.id);
    const passwordHash = await this.parts.newPasswords.hashFor({ ...user, memberships }, password, '/new_password');
    await this.changes.unitOfWork.run(async (tx) => {
      const now = this.changes.now();
      const held = await this.resets.byToken(tokenHash, now, tx);
      const current = held === null ? null : await this.parts.people.lock(tx, user.uuid);
      // The password was changed since, or the account disabled: the wish is void.
      if (
        held === null ||
        current === null ||
        !current.active ||
        !held.passwordMark.equals(markOf(current.passwordHash))
      )
        throw over();
      await this.resets.used(tx, held.id, now);
      await this.parts.people.changePasswordHash(user.id, { from: current.passwordHash, to: passwordHash }, tx);
      const ended = await this.parts.sessions.endAll(tx, user.id, 'password_reset');
      await this.letters.send(tx, { letter: 'password_changed', to: user, origin });
      await this.changes.note(tx, lineOfReset('password.reset', user.uuid, `user:${user.uuid}`, origin), {
        sessions_ended: ended,
      });
    });
  }
}

function over(): ProblemError {
  return new ProblemError('invalid_link', 'The link was used, replaced, or is too old. Ask for another.');
}
