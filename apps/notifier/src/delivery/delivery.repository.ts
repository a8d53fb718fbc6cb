import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

export interface NewDelivery {
  readonly deliveryId: string;
  readonly organizationId: number | null;
  readonly userId: number | null;
  readonly kind: string;
  readonly email: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly state: 'queued' | 'suppressed';
  readonly reason: string | null;
}

/** A mail that a sender has in hand. */
export interface DueDelivery {
  readonly deliveryId: string;
  readonly email: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Record<string, string>;
  /** This attempt included. */
  readonly attempts: number;
  readonly createdAt: Date;
}

/** What these letters say opens an account: once they are out of our hands nobody needs the words. */
const WITH_LINKS = `kind IN ('invitation', 'password-reset')`;
const WITHOUT_LINKS = ['text_body', 'html_body']
  .map((column) => `${column} = CASE WHEN ${WITH_LINKS} THEN '' ELSE ${column} END`)
  .join(', ');

@Injectable()
export class DeliveryRepository {
  async insert(tx: EntityManager, deliveries: readonly NewDelivery[], now: Date): Promise<void> {
    for (const delivery of deliveries) {
      await tx.query(
        `INSERT INTO deliveries (delivery_id, organization_id, user_id, kind, email, subject, text_body, html_body, headers,
           state, reason, created_at, next_attempt_at, settled_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, CASE WHEN $10 = 'suppressed' THEN $12::timestamptz END)`,
        [
          delivery.deliveryId,
          delivery.organizationId,
          delivery.userId,
          delivery.kind,
          delivery.email,
          delivery.subject,
          delivery.text,
          delivery.html,
          JSON.stringify(delivery.headers),
          delivery.state,
          delivery.reason,
          now,
        ],
      );
    }
  }

  /**
   * Takes up to `limit` mails in hand until `leaseUntil`: no other sender sees them before that, whatever becomes of this one.
   * A sender that dies between the server's yes and `markSent` sends that mail twice, under the same Message-ID.
   */
  async take(manager: EntityManager, limit: number, now: Date, leaseUntil: Date): Promise<DueDelivery[]> {
    const [rows]: [DueDelivery[], number] = await manager.query(
      `UPDATE deliveries d SET attempts = d.attempts + 1, next_attempt_at = $3
       FROM (SELECT delivery_id FROM deliveries WHERE state IN ('queued', 'failed') AND next_attempt_at <= $2
             ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED) due
       WHERE d.delivery_id = due.delivery_id
       RETURNING d.delivery_id AS "deliveryId", d.email, d.subject, d.text_body AS text, d.html_body AS html, d.headers,
         d.attempts, d.created_at AS "createdAt"`,
      [limit, now, leaseUntil],
    );
    return rows;
  }

  async markSent(manager: EntityManager, deliveryId: string, now: Date): Promise<void> {
    await manager.query(
      `UPDATE deliveries SET state = 'sent', reason = NULL, settled_at = $2, ${WITHOUT_LINKS} WHERE delivery_id = $1`,
      [deliveryId, now],
    );
  }

  /**
   * Takes the words of up to `limit` letters with links that were written before `before` and never sent: without a mail server they are the only way to a
   * link, which is good for seven days at most. @returns how many.
   */
  async forgetLinks(manager: EntityManager, before: Date, limit: number): Promise<number> {
    const [, forgotten]: [unknown, number] = await manager.query(
      `UPDATE deliveries SET text_body = '', html_body = '' WHERE delivery_id IN (
         SELECT delivery_id FROM deliveries
         WHERE ${WITH_LINKS} AND state = 'suppressed' AND text_body <> '' AND created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [before, limit],
    );
    return forgotten;
  }

  async markFailed(manager: EntityManager, deliveryId: string, reason: string, nextAttemptAt: Date): Promise<void> {
    await manager.query(
      `UPDATE deliveries SET state = 'failed', reason = $2, next_attempt_at = $3 WHERE delivery_id = $1`,
      [deliveryId, reason, nextAttemptAt],
    );
  }

  async markDead(manager: EntityManager, deliveryId: string, reason: string, now: Date): Promise<void> {
    await manager.query(
      `UPDATE deliveries SET state = 'dead', reason = $2, settled_at = $3, ${WITHOUT_LINKS} WHERE delivery_id = $1`,
      [deliveryId, reason, now],
    );
  }
}
