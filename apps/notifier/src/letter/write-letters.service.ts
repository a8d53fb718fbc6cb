import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AccountLetterDue } from '#libs/contracts';
import { DeliveriesService } from '../delivery/deliveries.service.js';
import { InboxService } from '../inbox/inbox.service.js';
import { accountLetter } from './account-letter.js';

export interface LetterMessage {
  readonly messageId: string;
  readonly body: AccountLetterDue;
}

/** Writes letters about accounts down, in the batch's transaction; sending is another matter. */
@Injectable()
export class WriteLettersService {
  constructor(
    private readonly inbox: InboxService,
    private readonly deliveries: DeliveriesService,
  ) {}

  /** A message that was delivered before writes nothing; a link that is no longer good neither. @returns how many were written */
  async write(tx: EntityManager, messages: readonly LetterMessage[], now: Date): Promise<number> {
    if (messages.length === 0) return 0;
    const fresh = await this.inbox.take(
      tx,
      messages.map(({ messageId }) => messageId),
      now,
    );
    const due = messages
      // The same message twice in one batch is one message.
      .filter(({ messageId }) => fresh.delete(messageId))
      .map(({ body }) => body)
      .filter(({ valid_until }) => valid_until === null || Date.parse(valid_until) > now.getTime());
    await this.deliveries.queue(
      tx,
      due.map((body) => ({
        organizationId: body.organization_id,
        userId: body.user_id,
        kind: body.letter.replaceAll('_', '-'),
        email: body.email,
        mail: accountLetter(body),
      })),
      now,
    );
    return due.length;
  }
}
