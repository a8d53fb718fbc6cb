import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import type { Origin } from '../session/origin.js';
import { LoginAttemptsRepository } from './login-attempts.repository.js';

/** Counts what anybody may try without being known, as log-ins are counted: by account and network, and by network. */
@Injectable()
export class CountAttempts {
  constructor(
    private readonly attempts: LoginAttemptsRepository,
    private readonly audit: AuditLog,
  ) {}

  /** @param what is tried on which account @throws ProblemError `too_many_attempts` */
  async mustBeFew(what: string, action: string, origin: Origin, actor = 'anonymous'): Promise<void> {
    const wait = await this.attempts.begin(what, origin.address);
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
}
