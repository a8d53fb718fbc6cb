import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { InboxRepository } from './inbox.repository.js';

/** Makes the effect of a message happen once, however often it is delivered. */
@Injectable()
export class InboxService {
  constructor(private readonly inbox: InboxRepository) {}

  /** @returns the ids among `messageIds` that are handled now for the first time; the effect belongs into the same transaction. */
  take(tx: EntityManager, messageIds: readonly string[], now: Date): Promise<Set<string>> {
    return this.inbox.take(tx, messageIds, now);
  }
}
