import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '#libs/runtime';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import type { User } from '../identity/user.entity.js';
import { TOKEN_LIFETIME_SECONDS } from '../login/access-token.js';
import { AccessTokens } from '../login/access-tokens.service.js';
import { CLOCK } from '../tokens.js';
import type { LoggedIn } from './logged-in.js';
import type { Origin } from './origin.js';
import { SessionNotices } from './session-notices.service.js';
import { Sessions } from './sessions.service.js';

/** Gives tokens: for a new session, and again for a refresh token. */
@Injectable()
export class SessionTokens {
  constructor(
    private readonly sessions: Sessions,
    private readonly people: People,
    private readonly tokens: AccessTokens,
    private readonly notices: SessionNotices,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Logs in a person who has proved who she is. @param user as she was then @returns null: her password or account was changed since */
  async open(user: User, origin: Origin): Promise<LoggedIn | null> {
    const opened = await this.sessions.open(user, origin);
    if (opened === null) return null;
    const { uuid, refreshToken, ended } = opened;
    const deviceToken = await this.notices.opened(user, uuid, origin);
    return { ...this.access(user, uuid), refreshToken, deviceToken, ended };
  }

  /** @throws ProblemError `invalid_refresh_token` */
  async refresh(text: string, origin: Origin): Promise<LoggedIn> {
    const result = await this.sessions.refresh(text, origin);
    if (result.outcome === 'refused') throw over();
    const { session } = result;
    const user = await this.people.byId(session.userId);
    if (result.outcome === 'reused') {
      await this.notices.reused(session, user, origin);
      throw over();
    }
    if (user === null || !user.active || user.sessionVersion !== session.sessionVersion) throw over();
    return { ...this.access(user, session.uuid), refreshToken: result.refreshToken, deviceToken: null, ended: 0 };
  }

  private access(user: User, sessionUuid: string): Omit<LoggedIn, 'refreshToken' | 'deviceToken' | 'ended'> {
    const accessToken = this.tokens.sign(
      { sub: user.uuid, sv: user.sessionVersion, sid: sessionUuid },
      this.clock.now(),
    );
    return { accessToken, expiresIn: TOKEN_LIFETIME_SECONDS, sessionUuid, user };
  }
}

function over(): ProblemError {
  return new ProblemError('invalid_refresh_token', 'The session is over. Log in again.');
}
