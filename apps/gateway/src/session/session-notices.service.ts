import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import type { User } from '../identity/user.entity.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import { KnownDevices } from '../login/known-devices.service.js';
import { networkOf } from '../login/network.js';
import type { Origin } from './origin.js';
import type { Session } from './session.entity.js';
import { SessionRepository } from './session.repository.js';

/** Tells of log-ins, and of tokens that were copied: the audit log, and the person. */
@Injectable()
export class SessionNotices {
  constructor(
    private readonly audit: AuditLog,
    private readonly letters: AccountLetters,
    private readonly devices: KnownDevices,
    private readonly sessions: SessionRepository,
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
  ) {}

  /** Writes to her when nothing about where she logs in is known (S43). @returns the token by which it is known from now on */
  async opened(user: User, sessionUuid: string, origin: Origin): Promise<string> {
    this.audit.done({
      action: 'login.succeeded',
      actor: `user:${user.uuid}`,
      subject: `user:${user.uuid}`,
      address: origin.address,
      requestId: origin.requestId,
      detail: { session: sessionUuid, device: origin.device },
    });
    if (await this.isNewPlace(user, sessionUuid, origin))
      await this.unitOfWork.run((tx) => this.letters.send(tx, { letter: 'new_device', to: user, origin }));
    return this.devices.give(origin.deviceToken, user.email);
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

  /** Neither the browser's token is known, nor was the same program used from the same network before. The first log-in of all is news to nobody. */
  private async isNewPlace(
    user: User,
    sessionUuid: string,
    { deviceToken, device, address }: Origin,
  ): Promise<boolean> {
    if (this.devices.deviceOf(deviceToken, user.email) !== null) return false;
    const before = await this.sessions.before(user.id, sessionUuid);
    const network = networkOf(address);
    return before.length > 0 && !before.some((one) => one.device === device && networkOf(one.address) === network);
  }
}
