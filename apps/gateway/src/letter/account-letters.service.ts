import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { accountLetterDue } from '#libs/contracts';
import type { AccountLetter, AccountLetterDue } from '#libs/contracts';
import { OUTBOX } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import { newId } from '#libs/runtime';
import type { Clock } from '#libs/runtime';
import type { GatewaySettings } from '../settings.js';
import { CLOCK, SETTINGS } from '../tokens.js';

export interface Letter {
  readonly letter: AccountLetter;
  readonly to: { readonly id: number | null; readonly email: string; readonly name: string };
  readonly organization?: { readonly id: number; readonly name: string };
  /** Path and fragment of the page to open, and until when that helps; null: for ever. */
  readonly link?: { readonly path: string; readonly validUntil: Date | null };
  readonly origin?: { readonly address: string; readonly requestId: string; readonly device?: string };
  /** Of a letter about a site. */
  readonly site?: AccountLetterDue['site'];
}

/** Has people written to about their accounts, and about sites that wait for them. */
@Injectable()
export class AccountLetters {
  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The letter is due when, and only when, `tx` commits. Where links lead is a setting, never what a request says (S17). */
  async send(tx: EntityManager, { letter, to, organization, link, origin, site }: Letter): Promise<void> {
    await this.outbox.add(tx, [
      {
        event: accountLetterDue,
        organizationId: organization?.id ?? null,
        key: newId(),
        ...(origin === undefined ? {} : { correlationId: origin.requestId }),
        body: {
          letter,
          user_id: to.id,
          email: to.email,
          name: to.name,
          organization_id: organization?.id ?? null,
          organization_name: organization?.name ?? null,
          link: link === undefined ? null : new URL(link.path, this.settings.publicUrl).href,
          valid_until: link?.validUntil?.toISOString() ?? null,
          happened_at: this.clock.now().toISOString(),
          address: origin?.address ?? null,
          device: origin?.device ?? null,
          ...(site === undefined ? {} : { site }),
        },
      },
    ]);
  }
}
