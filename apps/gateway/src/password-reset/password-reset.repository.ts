import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, LessThan, MoreThan } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { PasswordReset } from './password-reset.entity.js';

/** Wishes for a new password. */
@Injectable()
export class PasswordResetRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The new one replaces those before. */
  async replace(tx: EntityManager, reset: Omit<PasswordReset, 'id' | 'usedAt'>): Promise<void> {
    await tx.delete(PasswordReset, { userId: reset.userId, usedAt: IsNull() });
    await tx.delete(PasswordReset, { expiresAt: LessThan(new Date(reset.createdAt.getTime() - 90 * 24 * 3600_000)) });
    await tx.insert(PasswordReset, reset);
  }

  /** The one of this token, if it is still good. With `tx` its row is locked. */
  byToken(tokenHash: Buffer, now: Date, tx?: EntityManager): Promise<PasswordReset | null> {
    return (tx ?? this.dataSource.manager).findOne(PasswordReset, {
      where: { tokenHash, usedAt: IsNull(), expiresAt: MoreThan(now) },
      ...(tx === undefined ? {} : { lock: { mode: 'pessimistic_write' as const } }),
    });
  }

  async used(tx: EntityManager, id: number, now: Date): Promise<void> {
    await tx.update(PasswordReset, { id }, { usedAt: now });
  }
}
