import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import type { User } from '../identity/user.entity.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import type { Origin } from './origin.js';
import type { Session } from './session.entity.js';

/** Tells of log-ins, and of tokens that were copied: the audit log, and the person. */
@Injectable()
export class SessionNotices {
  constructor(
    private readonly audit: AuditLog,
    private readonly letters: AccountLetters,
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
  ) {}

  opened(user: User, sessionUuid: string, origin: Origin): void {
    this.audit.done({
      action: 'login.succeeded',
      actor: `user:${user.uuid}`,
      subject: `user:${user.uuid}`,
      address: origin.address,
      requestId: origin.requestId,
      detail: { session: sessionUuid, device: origin.device },
    });
  }

  /** A refresh token came again, and its session was ended for it. */
  async reused(session: Session, user: User | null, origin: Origin): Promise<void> {
    this.audit.refused({
      action: 'session.refresh',
      reason: 'token_reused',
      actor: user === null ? 'unknown' : `user:${user.uuid}`,
      subject: `session:${session.uuid}`,
      address: origin.address,
      requestId: origin.requestId,
      detail: { device: origin.device },
    });
    if (user === null) return;
    await this.unitOfWork.run((tx) => this.letters.send(tx, { letter: 'session_token_reused', to: user, origin }));
  }
}
