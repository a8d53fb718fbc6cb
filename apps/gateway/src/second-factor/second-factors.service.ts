import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { Clock } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import { PasswordHasher } from '../login/password-hasher.service.js';
import type { Origin } from '../session/origin.js';
import { CLOCK } from '../tokens.js';
import { readBackupCode } from './backup-codes.js';
import { Challenges } from './challenges.service.js';
import { open } from './seal.js';
import { SecondFactorRepository } from './second-factor.repository.js';
import { isTotpCode, stepOfCode } from './totp.js';

/** Whose factor it is. */
export interface FactorOwner {
  readonly id: number;
  readonly uuid: string;
  readonly email: string;
  readonly name: string;
}

/** The key that seeds are encrypted with. */
export class SealingKey {
  constructor(readonly bytes: Buffer) {}
}

/** What factors are checked with. */
@Injectable()
export class FactorChecks {
  constructor(
    readonly key: SealingKey,
    readonly hasher: PasswordHasher,
    readonly challenges: Challenges,
    readonly letters: AccountLetters,
    @Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>,
  ) {}
}

/** Checks codes of authenticator apps and backup codes. Every code is taken once. */
@Injectable()
export class SecondFactors {
  constructor(
    private readonly factors: SecondFactorRepository,
    private readonly checks: FactorChecks,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Whether a code is needed to log in. */
  async isOn(userId: number): Promise<boolean> {
    return (await this.factors.confirmed(userId)) !== null;
  }

  /**
   * Takes a code of the app, or a backup code.
   * @throws ProblemError `invalid_code`, `too_many_attempts`
   */
  async prove(owner: FactorOwner, code: string, origin: Origin): Promise<void> {
    const wait = await this.checks.challenges.beginCode(owner.uuid);
    if (wait > 0) {
      this.refuse(owner, 'too_many_attempts', origin);
      throw new ProblemError('too_many_attempts', 'Too many codes were wrong. Wait before the next.', {
        retryAfterSeconds: wait,
        noted: true,
      });
    }
    const fault = isTotpCode(code) ? await this.takeTotp(owner, code) : await this.takeBackup(owner, code, origin);
    if (fault !== null) {
      this.refuse(owner, fault, origin);
      throw new ProblemError('invalid_code', 'The code is wrong, too old, or was used before.', { noted: true });
    }
    await this.checks.challenges.codeWasRight(owner.uuid);
  }

  /** @returns what is wrong; null: it was taken */
  private async takeTotp(owner: FactorOwner, code: string): Promise<string | null> {
    const factor = await this.factors.confirmed(owner.id);
    if (factor === null) return 'no_factor';
    const step = stepOfCode(open(this.checks.key.bytes, factor.sealedSeed, owner.uuid), code, this.clock.now());
    if (step === null) return 'wrong_code';
    return (await this.factors.takeStep(owner.id, step)) ? null : 'code_used_before';
  }

  private async takeBackup(owner: FactorOwner, text: string, origin: Origin): Promise<string | null> {
    const code = readBackupCode(text);
    if (code === null) return 'wrong_code';
    const stored = await this.factors.unusedBackupCode(owner.id, code.selector);
    // Without a stored one it works as long and says no.
    if (!(await this.checks.hasher.check(code.plain, stored?.codeHash ?? null)) || stored === null) return 'wrong_code';
    const taken = await this.checks.unitOfWork.run(async (tx) => {
      if (!(await this.factors.takeBackupCode(tx, stored.id, this.clock.now()))) return false;
      await this.checks.letters.send(tx, { letter: 'backup_code_used', to: owner, origin });
      await this.audit.record(tx, {
        action: 'second_factor.backup_code_used',
        actor: `user:${owner.uuid}`,
        subject: `user:${owner.uuid}`,
        address: origin.address,
        requestId: origin.requestId,
      });
      return true;
    });
    if (!taken) return 'code_used_before';
    return null;
  }

  private refuse(owner: FactorOwner, reason: string, origin: Origin): void {
    this.audit.refused({
      action: 'second_factor.check',
      reason,
      actor: `user:${owner.uuid}`,
      subject: `user:${owner.uuid}`,
      address: origin.address,
      requestId: origin.requestId,
    });
  }
}
