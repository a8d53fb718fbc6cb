import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { DeadLetter, DeadLetterStore, Envelope } from '#libs/streams';
import type { TableOutbox } from './table-outbox.js';

/** A dead letter as people see it; times as Date. */
export interface StoredDeadLetter {
  readonly id: number;
  readonly queue: string;
  readonly code: string;
  readonly detail: string;
  readonly handler: string | null;
  readonly deliveries: number;
  readonly messageId: string | null;
  readonly type: string | null;
  readonly key: string | null;
  readonly organizationId: number | null;
  readonly failedAt: Date;
  /** false: the entry could not even be read; it can be looked at and discarded only. */
  readonly replayable: boolean;
}

/** Narrows what is listed, replayed or discarded; absent members do not narrow. */
export interface DeadLetterFilter {
  readonly ids?: readonly number[];
  readonly queue?: string;
  readonly code?: string;
  readonly organizationId?: number;
  /** Recorded at or after this time. */
  readonly since?: Date;
  /** Recorded before this time. */
  readonly before?: Date;
  /** No younger than this letter: keeps what dies anew during a replay out of it. */
  readonly upTo?: number;
}

/** One letter whole, for looking at it. */
export interface WholeDeadLetter extends StoredDeadLetter {
  /** null: the entry could not be read; see `raw`. */
  readonly envelope: Omit<Envelope, 'body'> | null;
  readonly body: Buffer | null;
  readonly raw: Record<string, string> | null;
  /** null: open. */
  readonly resolution: 'replayed' | 'discarded' | null;
  readonly resolvedAt: Date | null;
}

/** Open letters of one queue and reason. */
export interface DeadLetterGroup {
  readonly queue: string;
  readonly code: string;
  readonly letters: number;
  readonly replayable: number;
  readonly oldest: Date;
  readonly lastId: number;
}

const MATCHES = `resolution IS NULL
  AND ($1::bigint[] IS NULL OR id = ANY($1)) AND ($2::text IS NULL OR queue = $2)
  AND ($3::text IS NULL OR code = $3) AND ($4::bigint IS NULL OR organization_id = $4)
  AND ($5::timestamptz IS NULL OR failed_at >= $5) AND ($6::timestamptz IS NULL OR failed_at < $6)
  AND ($7::bigint IS NULL OR id <= $7)`;

const COLUMNS = `id, queue, code, detail, handler, deliveries, message_id AS "messageId", type, key,
  organization_id AS "organizationId", failed_at AS "failedAt", envelope IS NOT NULL AS replayable`;

const parametersOf = (filter: DeadLetterFilter): unknown[] => [
  filter.ids ?? null,
  filter.queue ?? null,
  filter.code ?? null,
  filter.organizationId ?? null,
  filter.since ?? null,
  filter.before ?? null,
  filter.upTo ?? null,
];

/**
 * Dead letters in the service's schema, recorded in the transaction of the batch they fell out of. Whatever the message holds, recording it
 * must succeed: what Postgres cannot store as text is replaced in the searchable columns and kept as it is in `envelope` and `body`.
 */
export class PostgresDeadLetterStore implements DeadLetterStore<EntityManager> {
  async record(tx: EntityManager, letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length === 0) return;
    // The same message twice in one statement would make ON CONFLICT refuse the whole.
    const unique = [...new Map(letters.map((letter) => [`${letter.queue} ${fingerprintOf(letter)}`, letter])).values()];
    await tx.query(
      `INSERT INTO dead_letters
         (queue, fingerprint, code, detail, handler, deliveries, message_id, type, key, organization_id, envelope, body, raw)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[],
         $9::text[], $10::bigint[], $11::json[], $12::bytea[], $13::json[])
       ON CONFLICT (queue, fingerprint) WHERE resolution IS NULL
         DO UPDATE SET deliveries = greatest(dead_letters.deliveries, excluded.deliveries)`,
      [
        unique.map(({ queue }) => queue),
        unique.map(fingerprintOf),
        unique.map(({ code }) => storable(code)),
        unique.map(({ detail }) => storable(detail)),
        unique.map(({ handler }) => storable(handler)),
        unique.map(({ deliveries }) => deliveries),
        unique.map(({ envelope }) => storable(envelope?.id)),
        unique.map(({ envelope }) => storable(envelope?.type)),
        unique.map(({ envelope }) => storable(envelope?.key)),
        unique.map(({ envelope }) =>
          Number.isSafeInteger(envelope?.organizationId) ? envelope!.organizationId : null,
        ),
        unique.map(({ envelope }) => (envelope === null ? null : factsOf(envelope))),
        unique.map(({ envelope }) => envelope?.body ?? null),
        unique.map(({ raw }) => (raw === null ? null : JSON.stringify(raw))),
      ],
    );
  }

  /** Open letters, oldest first. */
  async list(tx: EntityManager, filter: DeadLetterFilter = {}, limit = 100): Promise<StoredDeadLetter[]> {
    return tx.query(`SELECT ${COLUMNS} FROM dead_letters WHERE ${MATCHES} ORDER BY id LIMIT $8`, [
      ...parametersOf(filter),
      limit,
    ]);
  }

  /** One letter, open or not. @returns null: there is none of this id. */
  async find(tx: EntityManager, id: number): Promise<WholeDeadLetter | null> {
    const rows: WholeDeadLetter[] = await tx.query(
      `SELECT ${COLUMNS}, envelope, body, raw, resolution, resolved_at AS "resolvedAt" FROM dead_letters WHERE id = $1`,
      [id],
    );
    return rows[0] ?? null;
  }

  /** Open letters counted by queue and reason. */
  async groups(tx: EntityManager, filter: DeadLetterFilter = {}): Promise<DeadLetterGroup[]> {
    return tx.query(
      `SELECT queue, code, count(*)::int AS letters, count(envelope)::int AS replayable, min(failed_at) AS oldest, max(id) AS "lastId"
       FROM dead_letters WHERE ${MATCHES} GROUP BY queue, code ORDER BY queue, code`,
      parametersOf(filter),
    );
  }

  /** How many letters are open. */
  async countOpen(tx: EntityManager, filter: DeadLetterFilter = {}): Promise<number> {
    const rows: { open: number }[] = await tx.query(
      `SELECT count(*)::int AS open FROM dead_letters WHERE ${MATCHES}`,
      parametersOf(filter),
    );
    return rows[0]!.open;
  }

  /**
   * Puts up to `limit` open letters back on their queues through the outbox, under their old message ids; all in `tx`, so that a replay
   * that is killed half way has either done a letter or not begun it. Two replays at once share the letters.
   * @returns how many; call again until it is 0.
   */
  async replay(tx: EntityManager, outbox: TableOutbox, filter: DeadLetterFilter = {}, limit = 100): Promise<number> {
    const rows: { id: number; queue: string; envelope: Omit<Envelope, 'body'>; body: Buffer }[] = await tx.query(
      `SELECT id, queue, envelope, body FROM dead_letters WHERE ${MATCHES} AND envelope IS NOT NULL
       ORDER BY id LIMIT $8 FOR UPDATE SKIP LOCKED`,
      [...parametersOf(filter), limit],
    );
    await outbox.addEnvelopes(
      tx,
      rows.map(({ queue, envelope, body }) => ({ queue, envelope: { ...envelope, body } })),
    );
    await this.resolve(
      tx,
      rows.map(({ id }) => id),
      'replayed',
    );
    return rows.length;
  }

  /** Gives up on up to `limit` (null: all) open letters that match; they stay on record. @returns how many. */
  async discard(tx: EntityManager, filter: DeadLetterFilter, limit: number | null = null): Promise<number> {
    const rows: { id: number }[] = await tx.query(
      `SELECT id FROM dead_letters WHERE ${MATCHES} ORDER BY id LIMIT $8 FOR UPDATE SKIP LOCKED`,
      [...parametersOf(filter), limit],
    );
    await this.resolve(
      tx,
      rows.map(({ id }) => id),
      'discarded',
    );
    return rows.length;
  }

  /** Removes up to `limit` letters that were replayed or discarded before `before`, for good. @returns how many. */
  async forget(tx: EntityManager, before: Date, limit: number): Promise<number> {
    const [, removed]: [unknown, number] = await tx.query(
      `DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE resolved_at < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [before, limit],
    );
    return removed;
  }

  private async resolve(
    tx: EntityManager,
    ids: readonly number[],
    resolution: 'replayed' | 'discarded',
  ): Promise<void> {
    await tx.query('UPDATE dead_letters SET resolution = $2, resolved_at = now() WHERE id = ANY($1::bigint[])', [
      ids,
      resolution,
    ]);
  }
}

/** What makes two letters the same: the message's own id, or the content of an entry that could not be read. */
function fingerprintOf({ envelope, raw }: DeadLetter): string {
  if (envelope !== null) return `id:${createHash('sha256').update(envelope.id).digest('hex')}`;
  return `raw:${createHash('sha256').update(JSON.stringify(raw)).digest('hex')}`;
}

function factsOf({ body: _, ...facts }: Envelope): string {
  return JSON.stringify(facts);
}

const LONGEST_TEXT = 4000;

/** Text that Postgres accepts: no NUL, not endless. */
function storable(text: string | null | undefined): string | null {
  return text == null ? null : text.replaceAll('\0', '\ufffd').slice(0, LONGEST_TEXT);
}
