import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import type { Clock } from '#libs/runtime';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import type { UserPrincipal } from '../identity/principal.js';
import type { Origin } from '../session/origin.js';
import { CLOCK } from '../tokens.js';
import type { BackupCode } from './backup-code.entity.js';
import { newBackupCodes, shownBackupCode } from './backup-codes.js';
import { open, seal } from './seal.js';
import { SecondFactorRepository } from './second-factor.repository.js';
import { FactorChecks } from './second-factors.service.js';
import { enrolmentUri, newSeed, stepOfCode } from './totp.js';

/** What a person gets to see of her factor. */
export interface FactorState {
  readonly confirmedAt: Date | null;
  readonly backupCodesLeft: number;
}

/** Turns second factors on and off. That it is she who asks was proved before. */
@Injectable()
export class ManageSecondFactor {
  constructor(
    private readonly factors: SecondFactorRepository,
    private readonly checks: FactorChecks,
    private readonly audit: AuditLog,
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async state(person: UserPrincipal): Promise<FactorState> {
    const factor = await this.factors.confirmed(person.id);
    return {
      confirmedAt: factor?.confirmedAt ?? null,
      backupCodesLeft: factor === null ? 0 : await this.factors.unusedBackupCodes(person.id),
    };
  }

  /** Begins: the seed is shown, this once, and counts for nothing until a code of it came. @throws ProblemError `second_factor_on` */
  async begin(person: UserPrincipal, origin: Origin): Promise<{ seed: string; uri: string }> {
    const seed = newSeed();
    await this.unitOfWork.run(async (tx) => {
      const begun = await this.factors.begin(tx, {
        userId: person.id,
        sealedSeed: seal(this.checks.key.bytes, seed, person.uuid),
        createdAt: this.clock.now(),
      });
      if (!begun) throw new ProblemError('second_factor_on', 'Turn the one you have off before you take another.');
      await this.note(tx, 'second_factor.begun', person, origin);
    });
    return { seed, uri: enrolmentUri(seed, person.email) };
  }

  /** Turns it on. @returns the backup codes, shown this once @throws ProblemError `invalid_code`, `second_factor_off`, `too_many_attempts` */
  async confirm(person: UserPrincipal, code: string, origin: Origin): Promise<string[]> {
    const wait = await this.checks.challenges.beginCode(person.uuid);
    if (wait > 0)
      throw new ProblemError('too_many_attempts', 'Too many codes were wrong. Wait before the next.', {
        retryAfterSeconds: wait,
      });
    const factor = await this.factors.unconfirmed(person.id);
    if (factor === null) throw new ProblemError('second_factor_off', 'Begin with POST /api/v1/auth/two-factor.');
    const now = this.clock.now();
    const step = stepOfCode(open(this.checks.key.bytes, factor.sealedSeed, person.uuid), code, now);
    if (step === null) throw new ProblemError('invalid_code', 'The code is not the one your app shows now.');
    const codes = await this.makeCodes(person.id, now);
    await this.unitOfWork.run(async (tx) => {
      if (!(await this.factors.confirm(tx, factor.id, step, now)))
        throw new ProblemError('second_factor_on', 'It was confirmed a moment ago.');
      await this.factors.replaceBackupCodes(tx, person.id, codes.rows);
      await this.checks.letters.send(tx, { letter: 'second_factor_on', to: person, origin });
      await this.note(tx, 'second_factor.turned_on', person, origin);
    });
    await this.checks.challenges.codeWasRight(person.uuid);
    return codes.shown;
  }

  /** New backup codes; all old ones are worth nothing. @throws ProblemError `second_factor_off` */
  async renewBackupCodes(person: UserPrincipal, origin: Origin): Promise<string[]> {
    await this.mustBeOn(person);
    const codes = await this.makeCodes(person.id, this.clock.now());
    await this.unitOfWork.run(async (tx) => {
      await this.factors.replaceBackupCodes(tx, person.id, codes.rows);
      await this.note(tx, 'second_factor.backup_codes_renewed', person, origin);
    });
    return codes.shown;
  }

  /** @throws ProblemError `second_factor_off` */
  async turnOff(person: UserPrincipal, origin: Origin): Promise<void> {
    await this.mustBeOn(person);
    await this.unitOfWork.run(async (tx) => {
      await this.factors.remove(tx, person.id);
      await this.checks.letters.send(tx, { letter: 'second_factor_off', to: person, origin });
      await this.note(tx, 'second_factor.turned_off', person, origin);
    });
  }

  private async mustBeOn(person: UserPrincipal): Promise<void> {
    if ((await this.factors.confirmed(person.id)) === null)
      throw new ProblemError('second_factor_off', 'You have no second factor.');
  }

  private async makeCodes(
    userId: number,
    createdAt: Date,
  ): Promise<{ shown: string[]; rows: Omit<BackupCode, 'id'>[] }> {
    const codes = newBackupCodes();
    const rows = await Promise.all(
      codes.map(async ({ selector, plain }) => ({
        userId,
        selector,
        codeHash: await this.checks.hasher.hash(plain),
        createdAt,
        usedAt: null,
      })),
    );
    return { shown: codes.map(shownBackupCode), rows };
  }

  private note(tx: EntityManager, action: string, person: UserPrincipal, origin: Origin): Promise<void> {
    return this.audit.record(tx, {
      action,
      actor: `user:${person.uuid}`,
      subject: `user:${person.uuid}`,
      address: origin.address,
      requestId: origin.requestId,
    });
  }
}
