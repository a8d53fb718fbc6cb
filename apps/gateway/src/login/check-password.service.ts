import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import type { User } from '../identity/user.entity.js';
import type { Origin } from '../session/origin.js';
import { CountAttempts } from './count-attempts.service.js';
import { needsRehash } from './password.js';
import { HasherBusyError, PasswordHasher } from './password-hasher.service.js';

/** Whose password is asked. */
interface Asked {
  readonly uuid: string;
  readonly email: string;
}

/** One answer, whatever it was that was wrong. @param noted whether the audit log has it already */
export function invalidCredentials({ noted = false } = {}): ProblemError {
  return new ProblemError('invalid_credentials', 'There is no account with this e-mail address and password.', {
    noted,
  });
}

/** Checks passwords, and counts: of who wants in, and of who is in and shall prove it once more. */
@Injectable()
export class CheckPassword {
  constructor(
    private readonly people: People,
    private readonly counts: CountAttempts,
    private readonly hasher: PasswordHasher,
    private readonly audit: AuditLog,
  ) {}

  /**
   * The account of this address and password, as it was when the password was checked. No answer tells whether an account exists.
   * @throws ProblemError `invalid_credentials`, `too_many_attempts`, `unavailable`
   */
  async ofAccount(email: string, password: string, origin: Origin): Promise<User> {
    await this.counts.mustBeFew(email, 'login.failed', origin);
    const user = await this.people.byEmail(email);
    const right = await this.isRight(password, user);
    if (!right || user === null || !user.active) {
      this.audit.refused({
        action: 'login.failed',
        reason: 'invalid_credentials',
        actor: 'anonymous',
        subject: user === null ? null : `user:${user.uuid}`,
        address: origin.address,
        requestId: origin.requestId,
      });
      throw invalidCredentials({ noted: true });
    }
    await this.counts.succeeded(user, origin);
    return needsRehash(user.passwordHash, this.hasher.cost) ? this.hashedAnew(user, password) : user;
  }

  /**
   * Lets a person who is logged in prove that she is the one. Counts as attempts to log in do.
   * @throws ProblemError `wrong_password`, `too_many_attempts`, `unavailable`
   */
  async ofPerson({ uuid, email }: Asked, password: string, origin: Origin): Promise<User> {
    const actor = `user:${uuid}`;
    await this.counts.mustBeFew(email, 'password.check', origin, actor);
    const user = await this.people.byEmail(email);
    if (!(await this.isRight(password, user)) || user === null) {
      this.audit.refused({
        action: 'password.check',
        reason: 'wrong_password',
        actor,
        subject: actor,
        address: origin.address,
        requestId: origin.requestId,
      });
      throw new ProblemError('wrong_password', 'That is not your password.', { noted: true });
    }
    await this.counts.succeeded(user, origin);
    return user;
  }

  /** With a hash of today's scheme and cost. Whoever changed the password meanwhile wins: then it is as it was checked. */
  private async hashedAnew(user: User, password: string): Promise<User> {
    const passwordHash = await this.hasher.hash(password);
    const change = { from: user.passwordHash, to: passwordHash };
    return (await this.people.changePasswordHash(user.id, change)) ? { ...user, passwordHash } : user;
  }

  private async isRight(password: string, user: User | null): Promise<boolean> {
    try {
      return await this.hasher.check(password, user?.passwordHash ?? null);
    } catch (error) {
      if (!(error instanceof HasherBusyError)) throw error;
      throw new ProblemError('unavailable', 'Too many people log in at this moment.', {
        retryAfterSeconds: 5,
        cause: error,
      });
    }
  }
}
