import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** How asking for one subject stands, as stored. */
export interface SyncStateRow {
  readonly subject: string;
  readonly last_success_at: Date | null;
  readonly last_at: Date | null;
  readonly last_outcome: string | null;
  readonly last_code: string | null;
  readonly last_detail: string | null;
  readonly failures: number;
  readonly failing_since: Date | null;
  readonly next_due: Date;
}

export interface ModuleSyncRow {
  readonly module: string;
  readonly outcome: 'ok' | 'not_found' | null;
  readonly known_upstream: boolean;
  readonly revision: number;
  readonly known_at: Date | null;
  /** null: it is not asked for. */
  readonly sync: SyncStateRow | null;
}

export interface FailureFilter {
  readonly module: string | null;
  readonly codes: readonly string[] | null;
  readonly from: string | null;
  readonly before: string | null;
}

export interface FailureRow {
  readonly id: number;
  readonly subject: string;
  readonly module: string | null;
  readonly code: string;
  readonly detail: string | null;
  readonly at: Date;
  readonly failures: number;
}

export interface OverviewRow {
  readonly followed: number;
  readonly waiting: number;
  readonly failing: number;
  readonly overdue: number;
  readonly published: number;
  readonly retracted: number;
}

const STATE_COLUMNS =
  'subject, last_success_at, last_at, last_outcome, last_code, last_detail, failures, failing_since, next_due';

/** Reads of how following upstream goes; writes nothing. */
@Injectable()
export class SyncReportRepository {
  /** null: no site runs it, nobody declared it, no advisory names it. */
  async module(reader: EntityManager, module: string): Promise<ModuleSyncRow | null> {
    const [row]: (Omit<ModuleSyncRow, 'sync'> & { there: boolean })[] = await reader.query(
      `SELECT $1::text AS module, m.outcome, coalesce(m.revision, 0) AS revision, m.known_at,
              coalesce(m.outcome = 'ok', false) OR named.there AS known_upstream,
              m.module IS NOT NULL OR named.there OR declared.there AS there
       FROM (SELECT EXISTS (SELECT FROM advisories WHERE module = $1) AS there) AS named
       CROSS JOIN (SELECT EXISTS (SELECT FROM custom_modules WHERE module = $1 AND removed_at IS NULL) AS there) AS declared
       LEFT JOIN modules m ON m.module = $1`,
      [module],
    );
    if (!row?.there) return null;
    const [sync] = await this.states(reader, [`module:${module}`]);
    const { outcome, revision, known_at, known_upstream } = row;
    return { module, outcome, revision, known_at, known_upstream, sync: sync ?? null };
  }

  async states(reader: EntityManager, subjects: readonly string[]): Promise<SyncStateRow[]> {
    return await reader.query(
      `SELECT ${STATE_COLUMNS} FROM sync_states WHERE subject = ANY ($1::text[]) ORDER BY subject`,
      [subjects],
    );
  }

  async failures(
    reader: EntityManager,
    filter: FailureFilter,
    page: { readonly limit: number; readonly offset: number; readonly oldestFirst: boolean },
  ): Promise<{ items: FailureRow[]; total: number }> {
    const where = `($1::text IS NULL OR module = $1) AND ($2::text[] IS NULL OR code = ANY ($2::text[]))
      AND ($3::timestamptz IS NULL OR at >= $3) AND ($4::timestamptz IS NULL OR at < $4)`;
    const values = [filter.module, filter.codes, filter.from, filter.before];
    const direction = page.oldestFirst ? 'ASC' : 'DESC';
    const [count]: { total: number }[] = await reader.query(
      `SELECT count(*)::int AS total FROM sync_failures WHERE ${where}`,
      values,
    );
    const items: FailureRow[] = await reader.query(
      `SELECT failure_id::float8 AS id, subject, module, code, detail, at, failures FROM sync_failures
       WHERE ${where} ORDER BY at ${direction}, failure_id ${direction} LIMIT $5 OFFSET $6`,
      [...values, page.limit, page.offset],
    );
    return { items, total: count!.total };
  }

  async overview(reader: EntityManager, now: Date): Promise<OverviewRow> {
    const [row]: OverviewRow[] = await reader.query(
      `SELECT count(*)::int AS followed,
              (count(*) FILTER (WHERE last_success_at IS NULL))::int AS waiting,
              (count(*) FILTER (WHERE failures > 0))::int AS failing,
              (count(*) FILTER (WHERE next_due <= $1 AND (lease_until IS NULL OR lease_until <= $1)))::int AS overdue,
              (SELECT count(*)::int FROM advisories WHERE state = 'published') AS published,
              (SELECT count(*)::int FROM advisories WHERE state = 'retracted') AS retracted
       FROM sync_states WHERE kind = 'module'`,
      [now],
    );
    return row!;
  }

  /** Failures since `from`, by code. */
  async failuresByCode(reader: EntityManager, from: Date): Promise<Map<string, number>> {
    const rows: { code: string; count: number }[] = await reader.query(
      'SELECT code, count(*)::int AS count FROM sync_failures WHERE at >= $1 GROUP BY code ORDER BY code',
      [from],
    );
    return new Map(rows.map(({ code, count }) => [code, count]));
  }
}
