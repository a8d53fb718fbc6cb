import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '#libs/runtime';
import { DeliveryRepository } from './delivery.repository.js';
import { MAIL_TRANSPORT, type MailTransport } from './mail-transport.js';

export interface Letter {
  readonly organizationId: number | null;
  /** null: a person without an account. */
  readonly userId: number | null;
  readonly kind: string;
  readonly email: string;
  readonly mail: {
    readonly subject: string;
    readonly text: string;
    readonly html: string;
    readonly headers: Readonly<Record<string, string>>;
  };
}

/** Writes mails down; each of them ends as sent, dead or suppressed. */
@Injectable()
export class DeliveriesService {
  constructor(
    private readonly deliveries: DeliveryRepository,
    @Inject(MAIL_TRANSPORT) private readonly transport: MailTransport | null,
  ) {}

  /** See the repository's. */
  forgetLinks(manager: EntityManager, before: Date, limit: number): Promise<number> {
    return this.deliveries.forgetLinks(manager, before, limit);
  }

  /** Without a mail server they are kept as suppressed: setting one up later must not send old news. */
  async queue(tx: EntityManager, letters: readonly Letter[], now: Date): Promise<void> {
    const reason = this.transport === null ? 'no_transport' : null;
    await this.deliveries.insert(
      tx,
      letters.map(({ mail, ...letter }) => ({
        ...letter,
        ...mail,
        deliveryId: newId(),
        state: reason === null ? ('queued' as const) : ('suppressed' as const),
        reason,
      })),
      now,
    );
  }
}
