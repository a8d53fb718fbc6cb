import { Injectable } from '@nestjs/common';
import type { LoggedIn } from '../session/logged-in.js';
import type { Origin } from '../session/origin.js';
import { SessionTokens } from '../session/session-tokens.service.js';
import { CheckPassword } from './check-password.service.js';

/** Logs people in by e-mail address and password. */
@Injectable()
export class LogIn {
  constructor(
    private readonly passwords: CheckPassword,
    private readonly tokens: SessionTokens,
  ) {}

  /** @throws ProblemError `invalid_credentials`, `too_many_attempts`, `unavailable` */
  async logIn(email: string, password: string, origin: Origin): Promise<LoggedIn> {
    return this.tokens.open(await this.passwords.ofAccount(email, password, origin), origin);
  }
}
