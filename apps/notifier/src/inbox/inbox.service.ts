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

  /**
   * Forgets up to `limit` messages handled before `before`. A message comes again only while its queue or its publisher's outbox holds it, and
   * a dead letter was never handled: what is months old can be met by neither.
   * @returns how many.
   */
  forget(manager: EntityManager, before: Date, limit: number): Promise<number> {
    return this.inbox.forget(manager, before, limit);
  }
}
