import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { instants, joinedBuffers, numbers, texts } from '#libs/database';

export interface RawPush {
  readonly siteId: number;
  readonly pushId: string;
  readonly organizationId: number;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly contentEncoding: 'identity' | 'gzip';
  /** As the site sent it. */
  readonly body: Buffer;
}

@Injectable()
export class RawPushRepository {
  async insert(tx: EntityManager, pushes: readonly RawPush[]): Promise<void> {
    if (pushes.length === 0) return;
    const { bytes, offsets, lengths } = joinedBuffers(pushes.map((push) => push.body));
    await tx.query(
      `INSERT INTO raw_pushes (site_id, push_id, organization_id, received_at, content_encoding, body)
       SELECT site_id, push_id, organization_id, received_at, content_encoding, substring($1::bytea FROM at FOR length)
       FROM unnest($2::int[], $3::uuid[], $4::int[], $5::timestamptz[], $6::text[], $7::int[], $8::int[])
         AS n (site_id, push_id, organization_id, received_at, content_encoding, at, length)
       -- Kept longer than its receipt, it may be settled once more.
       ON CONFLICT (site_id, push_id, received_at) DO NOTHING`,
      [
        bytes,
        numbers(pushes.map((push) => push.siteId)),
        texts(pushes.map((push) => push.pushId)),
        numbers(pushes.map((push) => push.organizationId)),
        instants(pushes.map((push) => push.receivedAt)),
        texts(pushes.map((push) => push.contentEncoding)),
        offsets,
        lengths,
      ],
    );
  }

  /** @returns how many partitions were made. */
  async ensurePartitions(manager: EntityManager, daysAhead: number): Promise<number> {
    const [row]: { made: number }[] = await manager.query('SELECT ensure_partitions($1) AS made', [daysAhead]);
    return row!.made;
  }

  /** Drops the days that are over for longer than `days`. @returns how many partitions went. */
  async dropPartitions(manager: EntityManager, days: number): Promise<number> {
    const [row]: { dropped: number }[] = await manager.query('SELECT drop_partitions($1) AS dropped', [days]);
    return row!.dropped;
  }

  /** Removes up to `limit` pushes received before `before` from the partition of those that came too late for their own. @returns how many. */
  async removeStragglers(manager: EntityManager, before: Date, limit: number): Promise<number> {
    const [, removed]: [unknown, number] = await manager.query(
      `DELETE FROM raw_pushes_default WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM raw_pushes_default WHERE received_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      [before, limit],
    );
    return removed;
  }
}
