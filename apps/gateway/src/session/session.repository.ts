import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull, LessThan, MoreThan, Not } from 'typeorm';
import type { EntityManager, FindOptionsWhere } from 'typeorm';
import { IDLE_MS } from './session-life.js';
import { Session } from './session.entity.js';

/** Any fixed number: who opens a session of a user holds it together with the user's id. */
const SESSIONS_LOCK = 4_711_203;
/** Ended sessions are kept so long, for whoever asks what happened. */
const KEEP_ENDED_MS = 90 * 24 * 3600_000;

/** Where people are logged in. A session is a person's own: no tenant sees it. */
@Injectable()
export class SessionRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The session with its row locked. */
  lock(tx: EntityManager, uuid: string): Promise<Session | null> {
    return tx.findOne(Session, { where: { uuid }, lock: { mode: 'pessimistic_write' } });
  }

  /** Until the transaction ends nobody else opens a session of this user. */
  async lockUser(tx: EntityManager, userId: number): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1, $2)', [SESSIONS_LOCK, userId]);
  }

  /** Whether the account is active and its password the one that was checked. Until the transaction ends neither changes. */
  async isStill(
    tx: EntityManager,
    owner: { readonly id: number; readonly sessionVersion: number; readonly passwordHash: string },
  ): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      'SELECT 1 FROM users WHERE id = $1 AND active AND session_version = $2 AND password_hash = $3 FOR SHARE',
      [owner.id, owner.sessionVersion, owner.passwordHash],
    );
    return rows.length > 0;
  }

  /** Live sessions of a user, the last used first. */
  live(userId: number, now: Date, tx: EntityManager = this.dataSource.manager): Promise<Session[]> {
    return tx.find(Session, { where: alive(userId, now), order: { lastSeenAt: 'DESC', id: 'DESC' } });
  }

  /** Where she was logged in before that session, the last hundred times. */
  before(userId: number, uuid: string): Promise<Pick<Session, 'device' | 'address'>[]> {
    return this.dataSource.manager.find(Session, {
      select: { device: true, address: true },
      where: { userId, uuid: Not(uuid) },
      order: { startedAt: 'DESC' },
      take: 100,
    });
  }

  add(tx: EntityManager, session: Omit<Session, 'id'>): Promise<Session> {
    return tx.save(tx.create(Session, session));
  }

  async rotate(
    tx: EntityManager,
    id: number,
    to: Pick<Session, 'tokenHash' | 'previousHash' | 'rotatedAt' | 'lastSeenAt' | 'address'>,
  ): Promise<void> {
    await tx.update(Session, { id }, to);
  }

  async end(tx: EntityManager, ids: readonly number[], reason: string, now: Date): Promise<void> {
    if (ids.length === 0) return;
    await tx.update(Session, { id: In([...ids]), endedAt: IsNull() }, { endedAt: now, endReason: reason });
  }

  /** Ends all live sessions of a user but one. @returns how many */
  async endAll(tx: EntityManager, userId: number, end: { reason: string; now: Date; but?: string }): Promise<number> {
    const { affected } = await tx.update(
      Session,
      { ...alive(userId, end.now), ...(end.but === undefined ? {} : { uuid: Not(end.but) }) },
      { endedAt: end.now, endReason: end.reason },
    );
    return affected ?? 0;
  }

  async seen(id: number, now: Date): Promise<void> {
    await this.dataSource.manager.update(Session, { id, lastSeenAt: LessThan(now) }, { lastSeenAt: now });
  }

  async authenticated(uuid: string, now: Date): Promise<void> {
    await this.dataSource.manager.update(Session, { uuid }, { authenticatedAt: now });
  }

  /** Forgets sessions of the user that are long over. */
  async forgetOld(tx: EntityManager, userId: number, now: Date): Promise<void> {
    await tx.delete(Session, { userId, expiresAt: LessThan(new Date(now.getTime() - KEEP_ENDED_MS)) });
  }
}

function alive(userId: number, now: Date): FindOptionsWhere<Session> {
  return {
    userId,
    endedAt: IsNull(),
    expiresAt: MoreThan(now),
    lastSeenAt: MoreThan(new Date(now.getTime() - IDLE_MS)),
  };
}
