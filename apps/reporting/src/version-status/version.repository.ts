import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { InstalledVersion, JudgedStatus, JudgedVersion } from './version-judgement.js';

/** A version of a module as a site reports it; `datestamp` is 0 except for dev snapshots. */
export interface VersionKey {
  readonly moduleId: number;
  readonly version: string | null;
  readonly datestamp: number;
}

export interface StoredVersion extends InstalledVersion {
  readonly moduleId: number;
}

export interface StoredVerdict extends JudgedVersion {
  readonly moduleId: number;
}

@Injectable()
export class VersionRepository {
  /** The versions among `keys` that are known. */
  async find(tx: EntityManager, keys: readonly VersionKey[]): Promise<StoredVersion[]> {
    if (keys.length === 0) return [];
    const rows: VersionRow[] = await tx.query(
      `SELECT v.version_id, v.module_id, v.version, v.datestamp::float8 AS datestamp
       FROM unnest($1::int[], $2::text[], $3::bigint[]) AS key(module_id, version, datestamp)
       JOIN version_statuses v
         ON v.module_id = key.module_id AND v.version = key.version AND v.datestamp = key.datestamp
       UNION
       SELECT v.version_id, v.module_id, v.version, v.datestamp::float8
       FROM unnest($1::int[], $2::text[], $3::bigint[]) AS key(module_id, version, datestamp)
       JOIN version_statuses v ON v.module_id = key.module_id AND v.version IS NULL AND v.datestamp = key.datestamp
       WHERE key.version IS NULL`,
      keyParameters(keys),
    );
    return rows.map(versionOf);
  }

  /** Adds versions not known and returns those that this transaction added. They have no status yet. */
  async add(tx: EntityManager, keys: readonly VersionKey[]): Promise<StoredVersion[]> {
    const ordered = [...keys].sort(
      (a, b) => a.moduleId - b.moduleId || compare(a.version ?? '', b.version ?? '') || a.datestamp - b.datestamp,
    );
    const rows: VersionRow[] = await tx.query(
      `INSERT INTO version_statuses (module_id, version, datestamp, status, standing, security_updates)
       SELECT module_id, version, datestamp, 'unknown', 'unknown', '{}'
       FROM unnest($1::int[], $2::text[], $3::bigint[]) AS key(module_id, version, datestamp)
       ON CONFLICT (module_id, version, datestamp) DO NOTHING
       RETURNING version_id, module_id, version, datestamp::float8 AS datestamp`,
      keyParameters(ordered),
    );
    return rows.map(versionOf);
  }

  /** All versions of modules. */
  async ofModules(tx: EntityManager, moduleIds: readonly number[]): Promise<StoredVersion[]> {
    const rows: VersionRow[] = await tx.query(
      `SELECT version_id, module_id, version, datestamp::float8 AS datestamp FROM version_statuses WHERE module_id = ANY ($1)`,
      [moduleIds],
    );
    return rows.map(versionOf);
  }

  /** Writes the statuses that differ from what stands. */
  async storeStatuses(tx: EntityManager, statuses: readonly JudgedStatus[]): Promise<void> {
    if (statuses.length === 0) return;
    await tx.query(
      `UPDATE version_statuses v
       SET status = r.status, reason = r.reason, standing = r.standing, recommended = r.recommended, latest = r.latest,
           security_updates = r.security_updates, available_since = r.available_since, released_at = r.released_at,
           mark = r.mark
       FROM (SELECT version_id, status, reason, standing, recommended, latest,
                    ARRAY(SELECT jsonb_array_elements_text(updates)) AS security_updates, available_since, released_at, mark
             FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
                         $8::timestamptz[], $9::timestamptz[], $10::text[])
                  AS row(version_id, status, reason, standing, recommended, latest, updates, available_since, released_at, mark)) r
       WHERE v.version_id = r.version_id
         AND (v.status, v.reason, v.standing, v.recommended, v.latest, v.security_updates, v.available_since, v.released_at, v.mark)
             IS DISTINCT FROM
             (r.status, r.reason, r.standing, r.recommended, r.latest, r.security_updates, r.available_since, r.released_at, r.mark)`,
      [
        statuses.map((status) => status.versionId),
        statuses.map((status) => status.status),
        statuses.map((status) => status.reason),
        statuses.map((status) => status.standing),
        statuses.map((status) => status.recommended),
        statuses.map((status) => status.latest),
        statuses.map((status) => JSON.stringify(status.securityUpdates)),
        statuses.map((status) => status.availableSince),
        statuses.map((status) => status.releasedAt),
        statuses.map((status) => status.mark),
      ],
    );
  }

  /** What stands of verdicts on modules, all causes. */
  async verdicts(tx: EntityManager, moduleIds: readonly number[]): Promise<StoredVerdict[]> {
    const rows: {
      version_id: number;
      cause_id: number;
      module_id: number;
      verdict: 'affected' | 'unknown';
      unsafe_from: Date | null;
      fixed_in: string[] | null;
    }[] = await tx.query(
      `SELECT version_id, cause_id, module_id, verdict, unsafe_from, fixed_in FROM vulnerable_versions WHERE module_id = ANY ($1)`,
      [moduleIds],
    );
    return rows.map((row) => ({
      versionId: row.version_id,
      causeId: row.cause_id,
      moduleId: row.module_id,
      verdict: row.verdict,
      unsafeFrom: row.unsafe_from,
      fixedIn: row.fixed_in,
    }));
  }

  async storeVerdicts(tx: EntityManager, verdicts: readonly StoredVerdict[]): Promise<void> {
    if (verdicts.length === 0) return;
    await tx.query(
      `INSERT INTO vulnerable_versions (version_id, cause_id, module_id, verdict, unsafe_from, fixed_in)
       SELECT version_id, cause_id, module_id, verdict, unsafe_from,
              CASE WHEN fixed_in IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(fixed_in)) END
       FROM unnest($1::int[], $2::int[], $3::int[], $4::text[], $5::timestamptz[], $6::jsonb[])
            AS row(version_id, cause_id, module_id, verdict, unsafe_from, fixed_in)
       ON CONFLICT (version_id, cause_id) DO UPDATE
       SET verdict = excluded.verdict, unsafe_from = excluded.unsafe_from, fixed_in = excluded.fixed_in`,
      [
        verdicts.map((verdict) => verdict.versionId),
        verdicts.map((verdict) => verdict.causeId),
        verdicts.map((verdict) => verdict.moduleId),
        verdicts.map((verdict) => verdict.verdict),
        verdicts.map((verdict) => verdict.unsafeFrom),
        verdicts.map((verdict) => (verdict.fixedIn ? JSON.stringify(verdict.fixedIn) : null)),
      ],
    );
  }

  async removeVerdicts(tx: EntityManager, verdicts: readonly StoredVerdict[]): Promise<void> {
    if (verdicts.length === 0) return;
    await tx.query(
      `DELETE FROM vulnerable_versions v
       USING unnest($1::int[], $2::int[]) AS gone(version_id, cause_id)
       WHERE v.version_id = gone.version_id AND v.cause_id = gone.cause_id`,
      [verdicts.map((verdict) => verdict.versionId), verdicts.map((verdict) => verdict.causeId)],
    );
  }

  /** Sites that ran one of the versions at any time, with the module: by position. */
  async sitesThatRan(
    tx: EntityManager,
    versionIds: readonly number[],
  ): Promise<{ siteIds: number[]; moduleIds: number[] }> {
    if (versionIds.length === 0) return { siteIds: [], moduleIds: [] };
    const rows: { site_id: number; module_id: number }[] = await tx.query(
      `SELECT DISTINCT site_id, module_id FROM site_modules WHERE version_id = ANY ($1)`,
      [versionIds],
    );
    return { siteIds: rows.map((row) => row.site_id), moduleIds: rows.map((row) => row.module_id) };
  }
}

interface VersionRow {
  version_id: number;
  module_id: number;
  version: string | null;
  datestamp: number;
}

const versionOf = (row: VersionRow): StoredVersion => ({
  versionId: row.version_id,
  moduleId: row.module_id,
  version: row.version,
  datestamp: row.datestamp,
});

function keyParameters(keys: readonly VersionKey[]): unknown[] {
  return [keys.map((key) => key.moduleId), keys.map((key) => key.version), keys.map((key) => key.datestamp)];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
