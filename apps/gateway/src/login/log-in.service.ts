import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '#libs/runtime';
import { AuditLog } from '../audit/audit-log.service.js';
import { CLOCK } from '../tokens.js';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import type { User } from '../identity/user.entity.js';
import { TOKEN_LIFETIME_SECONDS } from './access-token.js';
import { AccessTokens } from './access-tokens.service.js';
import { LoginAttemptsRepository } from './login-attempts.repository.js';
import { needsRehash } from './password.js';
import { HasherBusyError, PasswordHasher } from './password-hasher.service.js';

export interface LoggedIn {
  readonly accessToken: string;
  readonly expiresIn: number;
  readonly user: User;
}

/** Where a log-in comes from. */
export interface LoginOrigin {
  readonly address: string;
  readonly requestId: string;
}

/** What proves who somebody is: hashes of passwords, and tokens. */
@Injectable()
export class LoginCredentials {
  constructor(
    readonly hasher: PasswordHasher,
    readonly tokens: AccessTokens,
  ) {}
}

/** Checks e-mail address and password and gives an access token. No answer tells whether an account exists. */
@Injectable()
export class LogIn {
  constructor(
    private readonly people: People,
    private readonly attempts: LoginAttemptsRepository,
    private readonly credentials: LoginCredentials,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws ProblemError `invalid_credentials`, `too_many_attempts`, `unavailable` */
  async logIn(email: string, password: string, origin: LoginOrigin): Promise<LoggedIn> {
    const wait = await this.attempts.begin(email, origin.address);
    if (wait > 0) {
      this.audit.refused({ action: 'login.failed', reason: 'too_many_attempts', actor: 'anonymous', ...origin });
      throw new ProblemError('too_many_attempts', 'Too many log-ins failed. Wait before the next.', {
        retryAfterSeconds: wait,
      });
    }
    const user = await this.people.byEmail(email);
    const right = await this.isRight(password, user);
    if (!right || user === null || !user.active) {
      this.audit.refused({
        action: 'login.failed',
        reason: 'invalid_credentials',
        actor: 'anonymous',
        subject: user === null ? null : `user:${user.uuid}`,
        ...origin,
      });
      throw new ProblemError('invalid_credentials', 'There is no account with this e-mail address and password.');
    }
    await this.attempts.succeeded(email, origin.address);
    if (needsRehash(user.passwordHash, this.credentials.hasher.cost)) {
      await this.people.changePasswordHash(user.id, await this.credentials.hasher.hash(password));
    }
    this.audit.done({ action: 'login.succeeded', actor: `user:${user.uuid}`, subject: `user:${user.uuid}`, ...origin });
    const accessToken = this.credentials.tokens.sign({ sub: user.uuid, sv: user.sessionVersion }, this.clock.now());
    return { accessToken, expiresIn: TOKEN_LIFETIME_SECONDS, user };
  }

  private async isRight(password: string, user: User | null): Promise<boolean> {
    try {
      return await this.credentials.hasher.check(password, user?.passwordHash ?? null);
    } catch (error) {
      if (!(error instanceof HasherBusyError)) throw error;
      throw new ProblemError('unavailable', 'Too many people log in at this moment.', {
        retryAfterSeconds: 5,
        cause: error,
      });
    }
  }
}
