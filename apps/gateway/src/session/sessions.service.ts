import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import { newId } from '#libs/runtime';
import type { Clock } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { CLOCK } from '../tokens.js';
import type { Origin } from './origin.js';
import { ABSOLUTE_MS, GRACE_MS, isAlive, MOST_SESSIONS, SEEN_EVERY_MS } from './session-life.js';
import type { Lifetime } from './session-life.js';
import type { RefreshToken } from './refresh-tokens.service.js';
import { RefreshTokens } from './refresh-tokens.service.js';
import type { Session } from './session.entity.js';
import { SessionRepository } from './session.repository.js';

/** Whose session it is. */
export interface SessionOwner {
  readonly id: number;
  readonly uuid: string;
  readonly sessionVersion: number;
}

/** Who has proved who she is, by the password of which this is the hash. */
export interface ProvenOwner extends SessionOwner {
  readonly passwordHash: string;
}

export interface Opened {
  readonly uuid: string;
  readonly refreshToken: string;
  /** Sessions that had to end for it. */
  readonly ended: number;
}

export type Refreshed =
  | { readonly outcome: 'refreshed'; readonly session: Session; readonly refreshToken: string }
  /** It was good once: somebody has a copy, and the session is over. `session`: the one that ended. */
  | { readonly outcome: 'reused'; readonly session: Session }
  | { readonly outcome: 'refused' };

/** Opens, refreshes and ends sessions. Who may, others decide. */
@Injectable()
export class Sessions {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly tokens: RefreshTokens,
    private readonly audit: AuditLog,
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * A new session; when there are three, the one used least recently ends. Log-ins of one user that come together wait for each other.
   * @returns null: since the password was checked it was changed, or the account disabled or erased; what ended her sessions then ends this one, too
   */
  open(owner: ProvenOwner, origin: Origin): Promise<Opened | null> {
    return this.unitOfWork.run(async (tx) => {
      await this.sessions.lockUser(tx, owner.id);
      if (!(await this.sessions.isStill(tx, owner))) return null;
      const now = this.clock.now();
      const surplus = (await this.sessions.live(owner.id, now, tx)).slice(MOST_SESSIONS - 1);
      await this.sessions.end(
        tx,
        surplus.map(({ id }) => id),
        'too_many',
        now,
      );
      for (const session of surplus) await this.note(tx, session, owner.uuid, 'too_many', origin);
      await this.sessions.forgetOld(tx, owner.id, now);
      const uuid = newId();
      const token = this.tokens.first(uuid);
      await this.sessions.add(tx, {
        uuid,
        userId: owner.id,
        sessionVersion: owner.sessionVersion,
        tokenHash: token.hash,
        previousHash: null,
        rotatedAt: now,
        startedAt: now,
        authenticatedAt: now,
        lastSeenAt: now,
        expiresAt: new Date(now.getTime() + ABSOLUTE_MS),
        address: origin.address,
        device: origin.device,
        endedAt: null,
        endReason: null,
      });
      return { uuid, refreshToken: token.text, ended: surplus.length };
    });
  }

  /** Whether the session lives; when it does, notes that it is used. */
  async use(session: Lifetime & { readonly id: number }): Promise<boolean> {
    const now = this.clock.now();
    if (!isAlive(session, now)) return false;
    if (now.getTime() - session.lastSeenAt.getTime() > SEEN_EVERY_MS) await this.sessions.seen(session.id, now);
    return true;
  }

  /**
   * A new refresh token for a good one. The one just replaced gets the same successor again for ten seconds; whatever is older was
   * copied, and ends the session.
   */
  async refresh(text: string, origin: Origin): Promise<Refreshed> {
    const token = this.tokens.read(text);
    if (token === null) return { outcome: 'refused' };
    return this.unitOfWork.run(async (tx): Promise<Refreshed> => {
      const session = await this.sessions.lock(tx, token.sessionUuid);
      const now = this.clock.now();
      if (session === null || !isAlive(session, now)) return { outcome: 'refused' };
      if (session.tokenHash.equals(token.hash)) {
        const next = this.tokens.next(token, null);
        await this.sessions.rotate(tx, session.id, {
          tokenHash: next.hash,
          previousHash: token.hash,
          rotatedAt: now,
          lastSeenAt: now,
          address: origin.address,
        });
        return { outcome: 'refreshed', session, refreshToken: next.text };
      }
      if (justReplaced(session, token, now))
        return { outcome: 'refreshed', session, refreshToken: this.tokens.next(token, session.tokenHash).text };
      await this.sessions.end(tx, [session.id], 'token_reused', now);
      return { outcome: 'reused', session };
    });
  }

  /** Live sessions of a user, the last used first. */
  list(userId: number): Promise<Session[]> {
    return this.sessions.live(userId, this.clock.now());
  }

  /** Ends one session of a user. @returns false: she has no live one of that id. */
  end(owner: Omit<SessionOwner, 'sessionVersion'>, uuid: string, reason: string, origin: Origin): Promise<boolean> {
    return this.unitOfWork.run(async (tx) => {
      const session = await this.sessions.lock(tx, uuid);
      const now = this.clock.now();
      if (session === null || session.userId !== owner.id || !isAlive(session, now)) return false;
      await this.sessions.end(tx, [session.id], reason, now);
      await this.note(tx, session, owner.uuid, reason, origin);
      return true;
    });
  }

  /** Ends all sessions of a user, in the transaction of what made it needful. @param but UUID of the one that goes on */
  endAll(tx: EntityManager, userId: number, reason: string, but?: string): Promise<number> {
    return this.sessions.endAll(tx, userId, {
      reason,
      now: this.clock.now(),
      ...(but === undefined ? {} : { but }),
    });
  }

  /** Ends all sessions of a user but the one that goes on. */
  endOthers(owner: Omit<SessionOwner, 'sessionVersion'>, but: string, origin: Origin): Promise<void> {
    return this.unitOfWork.run(async (tx) => {
      const ended = await this.endAll(tx, owner.id, 'revoked', but);
      await this.audit.record(tx, {
        action: 'session.others_ended',
        actor: `user:${owner.uuid}`,
        subject: `user:${owner.uuid}`,
        address: origin.address,
        requestId: origin.requestId,
        detail: { ended },
      });
    });
  }

  /** She has proved who she is, now. */
  authenticated(uuid: string): Promise<void> {
    return this.sessions.authenticated(uuid, this.clock.now());
  }

  private note(tx: EntityManager, session: Session, userUuid: string, reason: string, origin: Origin): Promise<void> {
    return this.audit.record(tx, {
      action: 'session.ended',
      actor: `user:${userUuid}`,
      subject: `session:${session.uuid}`,
      address: origin.address,
      requestId: origin.requestId,
      detail: { reason, device: session.device },
    });
  }
}

function justReplaced(session: Session, token: RefreshToken, now: Date): boolean {
  return (
    session.previousHash !== null &&
    session.previousHash.equals(token.hash) &&
    now.getTime() - session.rotatedAt.getTime() <= GRACE_MS
  );
}
