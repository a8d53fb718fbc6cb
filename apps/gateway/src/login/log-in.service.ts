import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import { Challenges } from '../second-factor/challenges.service.js';
import { SecondFactors } from '../second-factor/second-factors.service.js';
import type { LoggedIn } from '../session/logged-in.js';
import type { Origin } from '../session/origin.js';
import { SessionTokens } from '../session/session-tokens.service.js';
import { CheckPassword } from './check-password.service.js';

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
    const user = await this.passwords.ofAccount(email, password, origin);
    if (!(await this.factors.isOn(user.id))) return this.tokens.open(user, origin);
    return { challenge: await this.challenges.give({ userUuid: user.uuid, sessionVersion: user.sessionVersion }) };
  }

  /** @throws ProblemError `invalid_challenge`, `invalid_code`, `too_many_attempts` */
  async finish(challenge: string, code: string, origin: Origin): Promise<LoggedIn> {
    const owed = await this.challenges.tryOne(challenge);
    const user = owed === null ? null : await this.people.byUuid(owed.userUuid);
    if (user === null || !user.active || user.sessionVersion !== owed?.sessionVersion)
      throw new ProblemError(
        'invalid_challenge',
        'The log-in took too long, or too many codes were wrong. Log in again.',
      );
    await this.factors.prove(user, code, origin);
    await this.challenges.end(challenge);
    return this.tokens.open(user, origin);
  }
}
