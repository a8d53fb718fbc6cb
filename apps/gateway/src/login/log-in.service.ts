import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import { Challenges } from '../second-factor/challenges.service.js';
import { SecondFactors } from '../second-factor/second-factors.service.js';
import type { LoggedIn } from '../session/logged-in.js';
import type { Origin } from '../session/origin.js';
import { SessionTokens } from '../session/session-tokens.service.js';
import { CheckPassword, invalidCredentials } from './check-password.service.js';

/** The password was right, and a code is owed. */
export interface CodeOwed {
  readonly challenge: string;
}

/** Logs people in by e-mail address and password, and by a code where a second factor is on. */
@Injectable()
export class LogIn {
  constructor(
    private readonly passwords: CheckPassword,
    private readonly people: People,
    private readonly factors: SecondFactors,
    private readonly challenges: Challenges,
    private readonly tokens: SessionTokens,
  ) {}

  /** @throws ProblemError `invalid_credentials`, `too_many_attempts`, `unavailable` */
  async logIn(email: string, password: string, origin: Origin): Promise<LoggedIn | CodeOwed> {
    // While it was checked the password was changed, or only hashed anew: that shows when it is checked once more.
    const loggedIn = (await this.tryOnce(email, password, origin)) ?? (await this.tryOnce(email, password, origin));
    if (loggedIn !== null) return loggedIn;
    throw invalidCredentials();
  }

  /** @throws ProblemError `invalid_challenge`, `invalid_code`, `too_many_attempts` */
  async finish(challenge: string, code: string, origin: Origin): Promise<LoggedIn> {
    const owed = await this.challenges.tryOne(challenge);
    const user = owed === null ? null : await this.people.byUuid(owed.userUuid);
    if (user === null || !user.active || user.sessionVersion !== owed?.sessionVersion) throw over();
    // A password that is the right one no longer opens nothing, whatever was begun with it.
    if (passwordMark(user.passwordHash) !== owed.passwordMark) throw over();
    await this.factors.prove(user, code, origin);
    await this.challenges.end(challenge);
    const loggedIn = await this.tokens.open(user, origin);
    if (loggedIn === null) throw over();
    return loggedIn;
  }

  /** @returns null: the password that was checked is the one of now no longer */
  private async tryOnce(email: string, password: string, origin: Origin): Promise<LoggedIn | CodeOwed | null> {
    const user = await this.passwords.ofAccount(email, password, origin);
    if (!(await this.factors.isOn(user.id))) return this.tokens.open(user, origin);
    const { uuid: userUuid, sessionVersion, passwordHash } = user;
    return {
      challenge: await this.challenges.give({ userUuid, sessionVersion, passwordMark: passwordMark(passwordHash) }),
    };
  }
}

/** Tells one stored password from another, and nothing of it. */
function passwordMark(passwordHash: string): string {
  return hash('sha256', passwordHash, 'base64url');
}

function over(): ProblemError {
  return new ProblemError(
    'invalid_challenge',
    'The log-in took too long, the password was changed, or too many codes were wrong. Log in again.',
  );
}
