import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

@Injectable()
export class InboxRepository {
  /** Notes the messages as handled, in `tx`. @returns the ids of those that had not been. */
  async take(tx: EntityManager, messageIds: readonly string[], now: Date): Promise<Set<string>> {
    const rows: { id: string }[] = await tx.query(
      `INSERT INTO inbox (message_id, handled_at) SELECT DISTINCT id, $2::timestamptz FROM unnest($1::text[]) AS id ORDER BY id
       ON CONFLICT (message_id) DO NOTHING RETURNING message_id AS id`,
      [messageIds, now],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Removes up to `limit` messages handled before `before`. @returns how many. */
  async forget(manager: EntityManager, before: Date, limit: number): Promise<number> {
    const [, removed]: [unknown, number] = await manager.query(
      `DELETE FROM inbox WHERE message_id IN (
         SELECT message_id FROM inbox WHERE handled_at < $1 ORDER BY handled_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [before, limit],
    );
    return removed;
  }
}
