import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, LessThan, Not } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { BackupCode } from './backup-code.entity.js';
import { SecondFactor } from './second-factor.entity.js';

/** Second factors of people. They are a person's own: no tenant sees them. */
@Injectable()
export class SecondFactorRepository {
  constructor(private readonly dataSource: DataSource) {}

  confirmed(userId: number): Promise<SecondFactor | null> {
    return this.dataSource.manager.findOneBy(SecondFactor, { userId, confirmedAt: Not(IsNull()) });
  }

  unconfirmed(userId: number): Promise<SecondFactor | null> {
    return this.dataSource.manager.findOneBy(SecondFactor, { userId, confirmedAt: IsNull() });
  }

  /** Begins an enrolment; one that was not finished is forgotten. @returns false: a confirmed factor is there already */
  async begin(tx: EntityManager, factor: Pick<SecondFactor, 'userId' | 'sealedSeed' | 'createdAt'>): Promise<boolean> {
    await tx.delete(SecondFactor, { userId: factor.userId, confirmedAt: IsNull() });
    const rows = await tx.query<unknown[]>(
      `INSERT INTO second_factors (user_id, sealed_seed, last_step, created_at) VALUES ($1, $2, 0, $3)
       ON CONFLICT (user_id) DO NOTHING RETURNING id`,
      [factor.userId, factor.sealedSeed, factor.createdAt],
    );
    return rows.length > 0;
  }

  /** @returns false: somebody else has confirmed or replaced it meanwhile */
  async confirm(tx: EntityManager, id: number, step: number, now: Date): Promise<boolean> {
    const { affected } = await tx.update(
      SecondFactor,
      { id, confirmedAt: IsNull() },
      { confirmedAt: now, lastStep: step },
    );
    return affected === 1;
  }

  /** Takes the code of `step`, once: of two at the same time one gets it, and an older one never does. */
  async takeStep(userId: number, step: number): Promise<boolean> {
    const { affected } = await this.dataSource.manager.update(
      SecondFactor,
      { userId, confirmedAt: Not(IsNull()), lastStep: LessThan(step) },
      { lastStep: step },
    );
    return affected === 1;
  }

  /** Takes the factor away, with its backup codes. */
  async remove(tx: EntityManager, userId: number): Promise<void> {
    await tx.delete(SecondFactor, { userId });
    await tx.delete(BackupCode, { userId });
  }

  async replaceBackupCodes(tx: EntityManager, userId: number, codes: readonly Omit<BackupCode, 'id'>[]): Promise<void> {
    await tx.delete(BackupCode, { userId });
    await tx.insert(BackupCode, [...codes]);
  }

  unusedBackupCode(userId: number, selector: string): Promise<BackupCode | null> {
    return this.dataSource.manager.findOneBy(BackupCode, { userId, selector, usedAt: IsNull() });
  }

  /** Of two at the same time one gets it. */
  async takeBackupCode(tx: EntityManager, id: number, now: Date): Promise<boolean> {
    const { affected } = await tx.update(BackupCode, { id, usedAt: IsNull() }, { usedAt: now });
    return affected === 1;
  }

  unusedBackupCodes(userId: number): Promise<number> {
    return this.dataSource.manager.countBy(BackupCode, { userId, usedAt: IsNull() });
  }
}
