import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { instants, numbers, texts } from '#libs/database';

export interface NewReceipt {
  readonly siteId: number;
  readonly pushId: string;
  readonly organizationId: number;
  readonly state: string;
  readonly reason: string;
  readonly detail: string | null;
  readonly epoch: number;
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly changes: number;
}

export interface FoundReceipt {
  readonly pushId: string;
  readonly state: 'applied' | 'superseded' | 'duplicate' | 'dead';
  readonly reason: string;
  readonly detail: string | null;
  readonly epoch: number | null;
  readonly sequence: number;
  readonly receivedAt: Date;
  readonly settledAt: Date;
  readonly changes: number;
}

/** A letter of this push, if nobody has sent it back on its way: as the index `dead_letters_push` has it. */
const deadPush = (pushId: string, siteId: string): string =>
  `push_id = ${pushId} AND push_site = ${siteId}::text AND resolution IS DISTINCT FROM 'replayed'`;

@Injectable()
export class ReceiptRepository {
  /** Which of these pushes have ended already, as `<site id> <push id>`. Ask under the sites' locks. */
  async endedBefore(tx: EntityManager, pushes: readonly { siteId: number; pushId: string }[]): Promise<Set<string>> {
    if (pushes.length === 0) return new Set();
    // LIMIT 1 makes it a look-up in the key per push, whatever the planner believes about an unnest.
    const rows: { site_id: number; push_id: string }[] = await tx.query(
      `SELECT n.site_id, n.push_id FROM unnest($1::int[], $2::uuid[]) AS n (site_id, push_id),
         LATERAL (SELECT 1 FROM receipts r WHERE r.site_id = n.site_id AND r.push_id = n.push_id LIMIT 1) ended
       UNION ALL
       SELECT n.site_id, n.push_id FROM unnest($1::int[], $2::uuid[], $3::text[]) AS n (site_id, push_id, push_text),
         LATERAL (SELECT 1 FROM dead_letters WHERE ${deadPush('n.push_text', 'n.site_id')} LIMIT 1) dead`,
      [
        numbers(pushes.map((push) => push.siteId)),
        texts(pushes.map((push) => push.pushId)),
        texts(pushes.map((push) => push.pushId)),
      ],
    );
    return new Set(rows.map((row) => `${row.site_id} ${row.push_id}`));
  }

  async insert(tx: EntityManager, receipts: readonly NewReceipt[], settledAt: Date): Promise<void> {
    if (receipts.length === 0) return;
    await tx.query(
      `INSERT INTO receipts (site_id, push_id, organization_id, state, reason, detail, epoch, sequence, received_at, changes, settled_at)
       SELECT *, $11::timestamptz FROM unnest($1::int[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[],
         $8::bigint[], $9::timestamptz[], $10::int[])`,
      [
        numbers(receipts.map((receipt) => receipt.siteId)),
        texts(receipts.map((receipt) => receipt.pushId)),
        numbers(receipts.map((receipt) => receipt.organizationId)),
        texts(receipts.map((receipt) => receipt.state)),
        texts(receipts.map((receipt) => receipt.reason)),
        texts(receipts.map((receipt) => receipt.detail)),
        numbers(receipts.map((receipt) => receipt.epoch)),
        numbers(receipts.map((receipt) => receipt.sequence)),
        instants(receipts.map((receipt) => receipt.receivedAt)),
        numbers(receipts.map((receipt) => receipt.changes)),
        settledAt,
      ],
    );
  }

  /** Removes up to `limit` receipts settled before `before`. @returns how many. */
  async forget(manager: EntityManager, before: Date, limit: number): Promise<number> {
    const [, removed]: [unknown, number] = await manager.query(
      `DELETE FROM receipts WHERE (site_id, push_id) IN (
         SELECT site_id, push_id FROM receipts WHERE settled_at < $1 ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [before, limit],
    );
    return removed;
  }

  /** How one push ended; null: it has not. Of a dead one the letter speaks, unless it was sent back on its way. */
  async find(manager: EntityManager, siteId: number, pushId: string): Promise<FoundReceipt | null> {
    const [receipt]: FoundReceipt[] = await manager.query(
      `SELECT push_id AS "pushId", state, reason, detail, epoch, sequence, received_at AS "receivedAt", settled_at AS "settledAt", changes
       FROM receipts WHERE site_id = $1 AND push_id = $2`,
      [siteId, pushId],
    );
    if (receipt) return receipt;
    const letters: { envelope: { meta: unknown }; code: string; detail: string; failedAt: Date }[] =
      await manager.query(
        `SELECT envelope, code, detail, failed_at AS "failedAt" FROM dead_letters WHERE ${deadPush('$2', '$1')} ORDER BY id DESC LIMIT 1`,
        [siteId, pushId.toLowerCase()],
      );
    const letter = letters[0];
    if (!letter) return null;
    // Poison may be anything, its facts too.
    const meta = letter.envelope.meta as { epoch?: unknown; sequence?: unknown; received_at?: unknown };
    return {
      pushId: pushId.toLowerCase(),
      state: 'dead',
      reason: letter.code,
      detail: letter.detail,
      epoch: Number.isSafeInteger(meta.epoch) ? (meta.epoch as number) : null,
      sequence: Number.isSafeInteger(meta.sequence) ? (meta.sequence as number) : 0,
      receivedAt: validDate(meta.received_at) ?? letter.failedAt,
      settledAt: letter.failedAt,
      changes: 0,
    };
  }
}

function validDate(value: unknown): Date | null {
  const date = typeof value === 'string' ? new Date(value) : null;
  return date === null || Number.isNaN(date.getTime()) ? null : date;
}
