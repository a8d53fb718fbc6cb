import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NO_SEAL } from './seal-chain.js';
import type { StoredLink } from './seal-chain.js';

/** Any fixed number: who adds to the chain holds it. */
const SEAL_LOCK = 4_711_205;

/** Every column of a line in one text that is the same for the same line, whoever reads it. */
const TEXT = `jsonb_build_array(l.id, l.organization_id, (extract(epoch FROM l.at) * 1000000)::bigint, l.action, l.outcome,
  l.reason, l.actor, l.subject, l.address, l.request_id, l.occurrences, l.detail)::text`;

interface LinkRow {
  readonly position: number;
  readonly line_id: number;
  readonly seal: Buffer;
  readonly text: string | null;
}

/** The chain of seals and what it is made of. Runs for the platform: the chain goes through all tenants' lines. */
@Injectable()
export class AuditSealRepository {
  /** @returns false: somebody else is at it */
  async lock(tx: EntityManager): Promise<boolean> {
    const [row] = await tx.query<{ mine: boolean }[]>('SELECT pg_try_advisory_xact_lock($1) AS mine', [SEAL_LOCK]);
    return row?.mine === true;
  }

  /** The end of the chain. */
  async head(tx: EntityManager): Promise<{ position: number; seal: Buffer }> {
    const [row] = await tx.query<{ position: number; seal: Buffer }[]>(
      'SELECT position, seal FROM audit_seals ORDER BY position DESC LIMIT 1',
    );
    return row === undefined ? { position: 0, seal: NO_SEAL } : { position: Number(row.position), seal: row.seal };
  }

  /** Lines without a seal, in their order. `text` null: the line is gone before it was sealed. */
  async unsealed(tx: EntityManager, most: number): Promise<{ lineId: number; text: string | null }[]> {
    const rows = await tx.query<{ line_id: number; text: string | null }[]>(
      `SELECT u.line_id, CASE WHEN l.id IS NULL THEN NULL ELSE ${TEXT} END AS text
         FROM (SELECT line_id FROM audit_unsealed ORDER BY line_id LIMIT $1) u LEFT JOIN audit_log l ON l.id = u.line_id
        ORDER BY u.line_id`,
      [most],
    );
    return rows.map(({ line_id: lineId, text }) => ({ lineId: Number(lineId), text }));
  }

  /** Adds to the chain. */
  async add(tx: EntityManager, links: readonly { position: number; lineId: number; seal: Buffer }[]): Promise<void> {
    await tx.query(
      `INSERT INTO audit_seals (position, line_id, seal)
       SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])`,
      [links.map(({ position }) => position), links.map(({ lineId }) => lineId), links.map(({ seal }) => seal)],
    );
    await tx.query('DELETE FROM audit_unsealed WHERE line_id = ANY($1)', [links.map(({ lineId }) => lineId)]);
  }

  /** Links behind a position, in order. */
  async links(tx: EntityManager, after: number, most: number): Promise<StoredLink[]> {
    const rows = await tx.query<LinkRow[]>(
      `SELECT s.position, s.line_id, s.seal, CASE WHEN l.id IS NULL THEN NULL ELSE ${TEXT} END AS text
         FROM (SELECT * FROM audit_seals WHERE position > $1 ORDER BY position LIMIT $2) s LEFT JOIN audit_log l ON l.id = s.line_id
        ORDER BY s.position`,
      [after, most],
    );
    return rows.map(({ position, line_id: lineId, seal, text }) => ({
      position: Number(position),
      lineId: Number(lineId),
      seal,
      text,
    }));
  }

  /** Lines that are neither sealed nor waiting for it: the trigger did not see how they came. */
  async strays(tx: EntityManager, most: number): Promise<number[]> {
    const rows = await tx.query<{ id: number }[]>(
      `SELECT l.id FROM audit_log l
        WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.line_id = l.id)
          AND NOT EXISTS (SELECT FROM audit_unsealed u WHERE u.line_id = l.id)
        ORDER BY l.id LIMIT $1`,
      [most],
    );
    return rows.map(({ id }) => Number(id));
  }

  /** How many lines wait for their seal, and since when the first of them. */
  async waiting(tx: EntityManager): Promise<{ lines: number; since: Date | null }> {
    const [row] = await tx.query<{ lines: number; since: Date | null }[]>(
      'SELECT count(*)::int AS lines, min(l.at) AS since FROM audit_unsealed u LEFT JOIN audit_log l ON l.id = u.line_id',
    );
    return row!;
  }
}
