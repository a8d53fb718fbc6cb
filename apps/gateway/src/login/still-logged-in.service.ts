import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import type { UserPrincipal } from '../identity/principal.js';
import { Sessions } from '../session/sessions.service.js';
import { WhoAsksRepository } from './who-asks.repository.js';

/** For what takes longer than a request should: who asks is looked at again. */
@Injectable()
export class StillLoggedIn {
  constructor(
    private readonly whoAsks: WhoAsksRepository,
    private readonly sessions: Sessions,
  ) {}

  /** The person as she is now, in the session in which she asked; it counts as used. @throws ProblemError `invalid_token` when it is over, or she is disabled */
  async person({ session }: UserPrincipal): Promise<UserPrincipal> {
    const asks = await this.whoAsks.find(session.uuid);
    if (asks === null || asks.person === null || !(await this.sessions.use(asks.session)))
      throw new ProblemError('invalid_token', 'The session is over. Log in again.');
    return { ...asks.person, session };
  }
}
