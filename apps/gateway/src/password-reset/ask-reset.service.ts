import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from '#libs/runtime';
import { IdentityChanges } from '../identity/identity-changes.service.js';
import { People } from '../identity/people.service.js';
import { AccountLetters } from '../letter/account-letters.service.js';
import { newOneTimeToken } from '../letter/one-time-token.js';
import type { Origin } from '../session/origin.js';
import { LOGGER } from '../tokens.js';
import { PasswordResetRepository } from './password-reset.repository.js';

/** The link of the mail is good for so long. */
const LIFETIME_MS = 30 * 60_000;

/** Marks the stored password that a wish is bound to. */
export function markOf(passwordHash: string): Buffer {
  return hash('sha256', passwordHash, 'buffer');
}

/** Writes to whoever forgot her password. */
@Injectable()
export class AskReset implements OnApplicationShutdown {
  private readonly working = new Set<Promise<void>>();

  constructor(
    private readonly resets: PasswordResetRepository,
    private readonly people: People,
    private readonly changes: IdentityChanges,
    private readonly letters: AccountLetters,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Returns at once, whether there is such an account or not: neither words nor time tell. The work is done afterwards. */
  ask(email: string, origin: Origin): void {
    const work = this.write(email, origin)
      .catch((error: unknown) => this.logger.warn({ err: error }, 'a wish for a new password could not be written'))
      .finally(() => this.working.delete(work));
    this.working.add(work);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.working);
  }

  private async write(email: string, origin: Origin): Promise<void> {
    const user = await this.people.byEmail(email);
    if (user === null || !user.active) return;
    const token = newOneTimeToken('pwp');
    await this.changes.unitOfWork.run(async (tx) => {
      // Disabled or erased since it was looked up: nothing may be written about her, or to her, any more.
      const current = await this.people.lock(tx, user.uuid);
      if (!current.active || current.email !== user.email) return;
      const now = this.changes.now();
      const validUntil = new Date(now.getTime() + LIFETIME_MS);
      await this.resets.replace(tx, {
        userId: current.id,
        tokenHash: token.hash,
        passwordMark: markOf(current.passwordHash),
        createdAt: now,
        expiresAt: validUntil,
      });
      await this.letters.send(tx, {
        letter: 'password_reset',
        to: current,
        link: { path: `/reset-password#${token.text}`, validUntil },
        origin,
      });
      await this.changes.note(tx, lineOfReset('password.reset_asked', user.uuid, 'anonymous', origin), {});
    });
  }
}

/** The part of an audit line that both steps have. */
export function lineOfReset(action: string, userUuid: string, actor: string, origin: Origin) {
  return {
    action,
    actor,
    subject: `user:${userUuid}`,
    organizationId: null,
    address: origin.address,
    requestId: origin.requestId,
  };
}
