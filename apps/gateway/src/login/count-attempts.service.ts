import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import type { User } from '../identity/user.entity.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import type { Origin } from '../session/origin.js';
import { KnownDevices } from './known-devices.service.js';
import { LoginAttemptsRepository } from './login-attempts.repository.js';

/** After so many failures a success is worth a letter: somebody may have guessed. */
const NOTEWORTHY_FAILURES = 3;

/** Counts what anybody may try without being known, as log-ins are counted: by account and network, by account everywhere, and by network. */
@Injectable()
export class CountAttempts {
  constructor(
    private readonly attempts: LoginAttemptsRepository,
    private readonly devices: KnownDevices,
    private readonly audit: AuditLog,
    private readonly letters: AccountLetters,
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
  ) {}

  /** @param what is tried on which account @throws ProblemError `too_many_attempts` */
  async mustBeFew(what: string, action: string, origin: Origin, actor = 'anonymous'): Promise<void> {
    const wait = await this.attempts.begin(what, origin.address, this.devices.deviceOf(origin.deviceToken, what));
    if (wait === 0) return;
    this.audit.refused({
      action,
      reason: 'too_many_attempts',
      actor,
      address: origin.address,
      requestId: origin.requestId,
    });
    throw new ProblemError('too_many_attempts', 'Too many attempts. Wait before the next.', {
      retryAfterSeconds: wait,
      noted: true,
    });
  }

  /** It was no failure, and those before it are forgiven; when they were many, she is written to (S43). */
  async succeeded(user: User, origin: Origin): Promise<void> {
    const device = this.devices.deviceOf(origin.deviceToken, user.email);
    const failures = await this.attempts.succeeded(user.email, origin.address, device);
    if (failures < NOTEWORTHY_FAILURES) return;
    await this.unitOfWork.run((tx) => this.letters.send(tx, { letter: 'login_after_failures', to: user, origin }));
  }
}
