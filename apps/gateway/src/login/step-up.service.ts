import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '#libs/runtime';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import type { UserPrincipal } from '../identity/principal.js';
import { SecondFactors } from '../second-factor/second-factors.service.js';
import type { Origin } from '../session/origin.js';
import { STEP_UP_MS } from '../session/session-life.js';
import { Sessions } from '../session/sessions.service.js';
import { CLOCK } from '../tokens.js';
import { CheckPassword } from './check-password.service.js';

/** What is sensitive wants a proof of who asks that is not older than five minutes: whoever finds a screen unlocked must not do it. */
@Injectable()
export class StepUp {
  constructor(
    private readonly passwords: CheckPassword,
    private readonly factors: SecondFactors,
    private readonly sessions: Sessions,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws ProblemError `step_up_required` */
  mustBeRecent(person: UserPrincipal): void {
    if (this.clock.now().getTime() - person.session.authenticatedAt.getTime() <= STEP_UP_MS) return;
    throw new ProblemError('step_up_required', 'Prove once more who you are: POST /api/v1/auth/step-up.');
  }

  /**
   * @param code of the second factor, where one is on
   * @throws ProblemError `wrong_password`, `invalid_code`, `too_many_attempts`
   */
  async prove(person: UserPrincipal, password: string, code: string | undefined, origin: Origin): Promise<void> {
    await this.passwords.ofPerson(person, password, origin);
    if (await this.factors.isOn(person.id)) {
      if (code === undefined) throw new ProblemError('invalid_code', 'Send `code` too: your second factor is on.');
      await this.factors.prove(person, code, origin);
    }
    await this.sessions.authenticated(person.session.uuid);
    this.audit.done({
      action: 'session.stepped_up',
      actor: `user:${person.uuid}`,
      subject: `session:${person.session.uuid}`,
      address: origin.address,
      requestId: origin.requestId,
    });
  }
}
