import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, MoreThan } from 'typeorm';
import type { EntityManager, FindOptionsWhere } from 'typeorm';
import { Invitation } from './invitation.entity.js';

/** Offers of membership. */
@Injectable()
export class InvitationRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Those that can still be accepted, the newest first. */
  open(organizationId: number, now: Date, page: { page: number; per_page: number }): Promise<[Invitation[], number]> {
    return this.dataSource.manager.findAndCount(Invitation, {
      where: { organizationId, ...isOpen(now) },
      order: { createdAt: 'DESC', id: 'DESC' },
      skip: (page.page - 1) * page.per_page,
      take: page.per_page,
    });
  }

  add(tx: EntityManager, invitation: Omit<Invitation, 'id'>): Promise<Invitation> {
    return tx.save(tx.create(Invitation, invitation));
  }

  /** Takes back those to an address: a new one replaces them. */
  async revokeOf(tx: EntityManager, organizationId: number, email: string, now: Date): Promise<void> {
    await tx.update(Invitation, { organizationId, email, ...isOpen(now) }, { revokedAt: now });
  }

  /** @returns false: there is none to take back */
  async revoke(tx: EntityManager, organizationId: number, uuid: string, now: Date): Promise<boolean> {
    const { affected } = await tx.update(Invitation, { organizationId, uuid, ...isOpen(now) }, { revokedAt: now });
    return affected === 1;
  }

  /** The one of this token, if it can be accepted. With `tx` its row is locked. */
  byToken(tokenHash: Buffer, now: Date, tx?: EntityManager): Promise<Invitation | null> {
    return (tx ?? this.dataSource.manager).findOne(Invitation, {
      where: { tokenHash, ...isOpen(now) },
      ...(tx === undefined ? {} : { lock: { mode: 'pessimistic_write' as const } }),
    });
  }

  async accepted(tx: EntityManager, id: number, now: Date): Promise<void> {
    await tx.update(Invitation, { id }, { acceptedAt: now });
  }
}

function isOpen(now: Date): FindOptionsWhere<Invitation> {
  return { acceptedAt: IsNull(), revokedAt: IsNull(), expiresAt: MoreThan(now) };
}
