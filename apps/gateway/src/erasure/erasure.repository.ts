import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, LessThanOrEqual } from 'typeorm';
import type { EntityManager } from 'typeorm';
import type { ErasureSubject } from '#libs/contracts';
import { asSystem } from '#libs/database';
import { eraseRows } from '#libs/outbox';
import { added } from './erasure-round.js';
import { Erasure } from './erasure.entity.js';

/** Tables of the gateway that keep what they have; the receipt says why. */
const KEPT = ['audit_log', 'erasures', 'users'];

/** Erasures, and the gateway's own part in them. Runs for the platform: who may ask, services decide. */
@Injectable()
export class ErasureRepository {
  constructor(private readonly dataSource: DataSource) {}

  add(tx: EntityManager, erasure: Omit<Erasure, 'id'>): Promise<Erasure> {
    return tx.save(tx.create(Erasure, erasure));
  }

  save(tx: EntityManager, erasure: Erasure): Promise<Erasure> {
    return tx.save(Erasure, erasure);
  }

  find(uuid: string): Promise<Erasure | null> {
    return this.dataSource.manager.findOneBy(Erasure, { uuid });
  }

  /** With its row locked, while it goes on. */
  lock(tx: EntityManager, uuid: string): Promise<Erasure | null> {
    return tx.findOne(Erasure, { where: { uuid, finishedAt: IsNull() }, lock: { mode: 'pessimistic_write' } });
  }

  anyDue(now: Date): Promise<boolean> {
    return this.dataSource.manager.existsBy(Erasure, { finishedAt: IsNull(), nextRoundAt: LessThanOrEqual(now) });
  }

  /** Those that are to be asked for now, their rows locked; what another replica is at is left out. */
  due(tx: EntityManager, now: Date): Promise<Erasure[]> {
    return tx.find(Erasure, {
      where: { finishedAt: IsNull(), nextRoundAt: LessThanOrEqual(now) },
      order: { id: 'ASC' },
      take: 20,
      lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
    });
  }

  /** The newest first. */
  list(page: { page: number; per_page: number }): Promise<[Erasure[], number]> {
    return this.dataSource.manager.findAndCount(Erasure, {
      order: { id: 'DESC' },
      skip: (page.page - 1) * page.per_page,
      take: page.per_page,
    });
  }

  /** UUIDs of `uuids` that an erasure which goes on is about. */
  async running(tx: EntityManager, uuids: readonly string[]): Promise<Set<string>> {
    const rows = await tx.query<{ uuid: string }[]>(
      'SELECT unnest(subject_uuids) AS uuid FROM erasures WHERE finished_at IS NULL AND subject_uuids && $1::uuid[]',
      [uuids],
    );
    return new Set(rows.map(({ uuid }) => uuid));
  }

  /** All sites that an organization has or had. */
  async sitesOf(tx: EntityManager, organizationId: number): Promise<number[]> {
    const rows = await asSystem(() =>
      tx.query<{ id: number }[]>('SELECT id FROM sites WHERE organization_id = $1 ORDER BY id', [organizationId]),
    );
    return rows.map(({ id }) => id);
  }

  /** Organizations that were removed before `before`, their rows locked. */
  removedOrganizations(tx: EntityManager, before: Date, most: number): Promise<{ id: number; uuid: string }[]> {
    return asSystem(() =>
      tx.query('SELECT id, uuid FROM organizations WHERE removed_at < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED', [
        before,
        most,
      ]),
    );
  }

  /** Sites that were removed before `before`, of organizations that were not; their rows locked. */
  removedSites(tx: EntityManager, before: Date, most: number): Promise<{ id: number; uuid: string }[]> {
    return asSystem(() =>
      tx.query(
        `SELECT s.id, s.uuid FROM sites s JOIN organizations o ON o.id = s.organization_id AND o.removed_at IS NULL
         WHERE s.removed_at < $1 ORDER BY s.id LIMIT $2 FOR UPDATE OF s SKIP LOCKED`,
        [before, most],
      ),
    );
  }

  /** The gateway's own rows of the subject; as often as one likes. @returns how many, by table */
  erase(tx: EntityManager, subject: ErasureSubject): Promise<Record<string, number>> {
    return asSystem(async () => {
      let counts: Record<string, number> = {};
      if (subject.kind === 'person') counts = await this.makeNobody(tx, subject);
      for (let more = true; more;) {
        const erased = await eraseRows(tx, subject, { keep: KEPT });
        counts = added(counts, erased.counts);
        more = erased.more;
      }
      if (subject.kind === 'organization') {
        const [, guests]: [unknown, number] = await tx.query(
          'DELETE FROM site_organizations WHERE guest_organization_id = $1',
          [subject.organization_id],
        );
        counts = added(counts, guests > 0 ? { site_organizations: guests } : {});
      }
      return counts;
    });
  }

  /** An account that nobody can open, and that says of nobody who she was. */
  private async makeNobody(tx: EntityManager, { user_id }: ErasureSubject): Promise<Record<string, number>> {
    const [, users]: [unknown, number] = await tx.query(
      `UPDATE users SET email = 'erased-' || uuid || '@erased.invalid', name = 'Erased', password_hash = '', active = false,
         superuser = false, session_version = session_version + 1, revision = revision + 1
       WHERE id = $1 AND email <> 'erased-' || uuid || '@erased.invalid'`,
      [user_id],
    );
    return users > 0 ? { users } : {};
  }

  /** Members of an organization, before their memberships go. */
  async members(tx: EntityManager, organizationId: number): Promise<string[]> {
    const rows = await asSystem(() =>
      tx.query<{ uuid: string }[]>(
        'SELECT u.uuid FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1 ORDER BY u.id',
        [organizationId],
      ),
    );
    return rows.map(({ uuid }) => uuid);
  }

  /**
   * Until the transaction ends nobody else changes who administers the organizations that the person does: of the last two, one stays. Before her own
   * row is locked, as changes of members do it.
   */
  async lockAdministeredBy(tx: EntityManager, userUuid: string): Promise<void> {
    await asSystem(() =>
      tx.query(
        `SELECT o.id FROM organizations o JOIN memberships m ON m.organization_id = o.id JOIN users u ON u.id = m.user_id
         WHERE u.uuid = $1 AND m.role = 'administrator' ORDER BY o.id FOR UPDATE OF o`,
        [userUuid],
      ),
    );
  }

  /** Organizations that have no other active administrator than this person. */
  async onlyAdministratorOf(tx: EntityManager, userId: number): Promise<string[]> {
    const rows = await asSystem(() =>
      tx.query<{ uuid: string }[]>(
        `SELECT o.uuid FROM memberships m JOIN organizations o ON o.id = m.organization_id AND o.removed_at IS NULL
         WHERE m.user_id = $1 AND m.role = 'administrator' AND NOT EXISTS (
           SELECT FROM memberships other JOIN users u ON u.id = other.user_id AND u.active
           WHERE other.organization_id = m.organization_id AND other.role = 'administrator' AND other.user_id <> $1)`,
        [userId],
      ),
    );
    return rows.map(({ uuid }) => uuid);
  }
}
