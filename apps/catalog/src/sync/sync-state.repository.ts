import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ADVISORIES, ARCHIVE, moduleSubject, type Claimed } from './subject.js';

/** How one subject ended, and when it is due again. */
export interface SyncResult {
  readonly subject: string;
  /** `postponed`: it was not asked for, since its host is left alone for now. */
  readonly outcome: 'changed' | 'unchanged' | 'not_modified' | 'failed' | 'postponed';
  readonly code: string | null;
  readonly detail: string | null;
  readonly nextDue: Date;
}

interface ClaimRow {
  subject: string;
  kind: string;
  failures: number;
  hot_until: Date | null;
  module_id: number | null;
  module: string | null;
  outcome: 'ok' | 'not_found' | null;
  hash: string | null;
  etag: string | null;
  last_modified: string | null;
  fetched_at: Date | null;
  releases: number;
  newest_release_at: Date | null;
}

/** Failures kept of one subject, and for how long. */
const KEPT_FAILURES = 100;
const KEPT_FAILURES_MS = 30 * 24 * 3_600_000;

/**
 * Leases are rows in Postgres: whoever updates the row holds the subject until `lease_until`, across replicas. A claim moves `next_due`
 * there, too: if the holder dies, the subject is due when the lease ends; and an earlier `next_due` under a lease says that news came meanwhile.
 */
@Injectable()
export class SyncStateRepository {
  /** Starts following modules: due at once. Those that are followed already stay as they are. */
  async follow(
    tx: EntityManager,
    modules: readonly { readonly moduleId: number; readonly module: string }[],
    now: Date,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO sync_states (subject, kind, module_id, next_due)
       SELECT subject, 'module', module_id, $3::timestamptz
       FROM unnest($1::text[], $2::integer[]) AS n (subject, module_id) ORDER BY subject
       ON CONFLICT (subject) DO NOTHING`,
      [modules.map(({ module }) => moduleSubject(module)), modules.map(({ moduleId }) => moduleId), now],
    );
  }

  /** Ends following modules, also those that are being asked for: their answers find no lease. */
  async leave(tx: EntityManager, modules: readonly string[]): Promise<void> {
    await tx.query('DELETE FROM sync_states WHERE subject = ANY ($1::text[])', [modules.map(moduleSubject)]);
  }

  /** Makes sure that the feed and the archive of advisories are followed. */
  async followAdvisories(tx: EntityManager, now: Date): Promise<void> {
    await tx.query(
      `INSERT INTO sync_states (subject, kind, next_due) VALUES ($1, 'advisories', $3), ($2, 'archive', $3)
       ON CONFLICT (subject) DO NOTHING`,
      [ADVISORIES, ARCHIVE, now],
    );
  }

  /**
   * Takes up to `limit` due subjects for `owner` until `leaseUntil`; skips what others are taking at this moment. Advisories come
   * first, since they say what else is urgent.
   */
  async claim(
    tx: EntityManager,
    claim: {
      readonly owner: string;
      readonly now: Date;
      readonly leaseUntil: Date;
      readonly limit: number;
      readonly kinds: readonly string[];
    },
  ): Promise<Claimed[]> {
    const rows: ClaimRow[] = await tx.query(
      `WITH due AS (
         SELECT subject FROM sync_states
         WHERE next_due <= $1 AND (lease_until IS NULL OR lease_until <= $1) AND kind = ANY($5::text[])
         ORDER BY kind = 'module', kind, next_due LIMIT $4 FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE sync_states s SET lease_owner = $2, lease_until = $3, next_due = $3 FROM due WHERE s.subject = due.subject
         RETURNING s.subject, s.kind, s.failures, s.hot_until, s.module_id
       )
       SELECT taken.*, m.module, m.outcome, d.hash, d.etag, d.last_modified, d.fetched_at,
              coalesce(jsonb_array_length(d.history -> 'releases'), 0) AS releases,
              (SELECT max(r.released_at) FROM releases r
               WHERE r.module_id = taken.module_id AND r.withdrawn_at IS NULL AND r.version NOT LIKE '%-dev') AS newest_release_at
       FROM taken LEFT JOIN modules m USING (module_id) LEFT JOIN module_documents d USING (module_id)`,
      [claim.now, claim.owner, claim.leaseUntil, claim.limit, claim.kinds],
    );
    return rows.map(toClaimed);
  }

  /** Of `subjects`, those that `owner` still holds; locked until the transaction ends, in one order. */
  async held(tx: EntityManager, owner: string, subjects: readonly string[]): Promise<Set<string>> {
    const rows: { subject: string }[] = await tx.query(
      `SELECT subject FROM sync_states WHERE subject = ANY($1::text[]) AND lease_owner = $2 ORDER BY subject FOR UPDATE`,
      [subjects, owner],
    );
    return new Set(rows.map(({ subject }) => subject));
  }

  /** Notes how subjects ended and gives their leases back. One that was hastened while it was asked for is due again at once. */
  async settle(tx: EntityManager, results: readonly SyncResult[], now: Date): Promise<void> {
    if (results.length === 0) return;
    await tx.query(
      `UPDATE sync_states s SET
         failures = CASE r.outcome WHEN 'failed' THEN s.failures + 1 WHEN 'postponed' THEN s.failures ELSE 0 END,
         failing_since = CASE r.outcome WHEN 'failed' THEN coalesce(s.failing_since, $6) WHEN 'postponed' THEN s.failing_since END,
         next_due = CASE WHEN s.next_due < s.lease_until THEN $6::timestamptz ELSE r.next_due END,
         lease_owner = NULL, lease_until = NULL,
         last_outcome = r.outcome, last_code = r.code, last_detail = r.detail, last_at = $6,
         last_success_at = CASE WHEN r.outcome IN ('failed', 'postponed') THEN s.last_success_at ELSE $6 END
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS r (subject, outcome, code, detail, next_due)
       WHERE s.subject = r.subject`,
      [
        results.map(({ subject }) => subject),
        results.map(({ outcome }) => outcome),
        results.map(({ code }) => code),
        results.map(({ detail }) => detail?.slice(0, 500) ?? null),
        results.map(({ nextDue }) => nextDue),
        now,
      ],
    );
  }

  /** Keeps the failures among `results`, with their reasons, and forgets old ones. After `settle`, which counts them. */
  async keepFailures(tx: EntityManager, results: readonly SyncResult[], now: Date): Promise<void> {
    const failed = results.filter(({ outcome }) => outcome === 'failed').map(({ subject }) => subject);
    if (failed.length === 0) return;
    await tx.query(
      `INSERT INTO sync_failures (subject, module, code, detail, at, failures)
       SELECT s.subject, m.module, s.last_code, s.last_detail, $2::timestamptz, s.failures
       FROM sync_states s LEFT JOIN modules m USING (module_id) WHERE s.subject = ANY ($1::text[]) ORDER BY s.subject`,
      [failed, now],
    );
    await tx.query(
      `DELETE FROM sync_failures f USING (
         SELECT failure_id FROM (
           SELECT failure_id, row_number() OVER (PARTITION BY subject ORDER BY failure_id DESC) AS place
           FROM sync_failures WHERE subject = ANY ($1::text[])
         ) AS ranked WHERE place > $2
         UNION ALL SELECT failure_id FROM sync_failures WHERE at < $3
       ) AS old WHERE f.failure_id = old.failure_id`,
      [failed, KEPT_FAILURES, new Date(now.getTime() - KEPT_FAILURES_MS)],
    );
  }

  /** Gives back what was claimed but will not be asked for. */
  async release(tx: EntityManager, owner: string, now: Date): Promise<void> {
    await tx.query(
      `UPDATE sync_states SET lease_owner = NULL, lease_until = NULL, next_due = $2 WHERE lease_owner = $1`,
      [owner, now],
    );
  }

  /**
   * Makes the followed of `modules` due at once and keeps them at the fast beat until `hotUntil`. One that is being asked for at this
   * moment is asked for again: its answer may have been on its way before the news.
   */
  async hasten(tx: EntityManager, modules: readonly string[], now: Date, hotUntil: Date): Promise<void> {
    await tx.query(
      `UPDATE sync_states SET hot_until = $3, next_due = least(next_due, $2) WHERE subject = ANY($1::text[])`,
      [modules.map(moduleSubject), now, hotUntil],
    );
  }

  /** Makes a source of advisories due at once. */
  async hastenSubject(tx: EntityManager, subject: string, now: Date): Promise<void> {
    await tx.query(`UPDATE sync_states SET next_due = least(next_due, $2) WHERE subject = $1`, [subject, now]);
  }
}

function toClaimed(row: ClaimRow): Claimed {
  if (row.kind !== 'module') {
    return { kind: row.kind === 'archive' ? 'archive' : 'advisories', subject: row.subject, failures: row.failures };
  }
  return {
    kind: 'module',
    subject: row.subject,
    moduleId: row.module_id!,
    module: row.module!,
    failures: row.failures,
    hotUntil: row.hot_until,
    known:
      row.hash === null || row.outcome === null
        ? null
        : {
            outcome: row.outcome,
            hash: row.hash,
            validators: { etag: row.etag, lastModified: row.last_modified },
            fetchedAt: row.fetched_at!,
            releases: row.releases,
            newestReleaseAt: row.newest_release_at,
          },
  };
}
