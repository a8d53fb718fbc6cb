import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ReleaseHistoryDocument } from '#libs/contracts';
import type { Validators } from '../upstream/upstream-port.js';
import { releaseRows } from './release-rows.js';

/** New content of a module. */
export interface ModuleContent {
  readonly moduleId: number;
  readonly hash: string;
  readonly validators: Validators;
  readonly history: ReleaseHistoryDocument | null;
}

export interface NamedModule {
  readonly moduleId: number;
  readonly module: string;
}

@Injectable()
export class ModuleRepository {
  /** Registers modules; answers those that are new. In order of name, so that two batches cannot deadlock. */
  async register(
    tx: EntityManager,
    modules: readonly { readonly module: string; readonly type: string }[],
    now: Date,
  ): Promise<NamedModule[]> {
    if (modules.length === 0) return [];
    const sorted = [...modules].sort((a, b) => (a.module < b.module ? -1 : 1));
    return await tx.query(
      `INSERT INTO modules (module, type, first_seen_at)
       SELECT module, type, $3::timestamptz FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (module, type, place) ORDER BY place
       ON CONFLICT (module) DO NOTHING RETURNING module_id AS "moduleId", module`,
      [sorted.map(({ module }) => module), sorted.map(({ type }) => type), now],
    );
  }

  /** Of `names`, the registered modules, in order of name. `revision` 0: nothing is known of it yet. */
  async named(tx: EntityManager, names: readonly string[]): Promise<(NamedModule & { readonly revision: number })[]> {
    return await tx.query(
      'SELECT module_id AS "moduleId", module, revision FROM modules WHERE module = ANY ($1::text[]) ORDER BY module',
      [names],
    );
  }

  /** Replaces what is known of modules; answers their new revisions. */
  async replaceContent(
    tx: EntityManager,
    contents: readonly ModuleContent[],
    now: Date,
  ): Promise<Map<number, { revision: number; module: string }>> {
    if (contents.length === 0) return new Map();
    const ids = contents.map(({ moduleId }) => moduleId);
    const rows: { moduleId: number; module: string; revision: number }[] = await tx.query(
      `WITH changed AS (
         UPDATE modules m SET revision = m.revision + 1, outcome = c.outcome, known_at = $5,
           title = coalesce(c.title, m.title), link = coalesce(c.link, m.link)
         FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[]) AS c (module_id, outcome, title, link)
         WHERE m.module_id = c.module_id RETURNING m.module_id, m.module, m.revision
       )
       SELECT module_id AS "moduleId", module, revision FROM changed`,
      [
        ids,
        contents.map(({ history }) => (history ? 'ok' : 'not_found')),
        contents.map(({ history }) => history?.title ?? null),
        contents.map(({ history }) => history?.link ?? null),
        now,
      ],
    );
    const revisions = new Map(rows.map(({ moduleId, module, revision }) => [moduleId, { module, revision }]));
    await tx.query(
      `INSERT INTO module_documents (module_id, hash, etag, last_modified, fetched_at, revision, history)
       SELECT module_id, hash, etag, last_modified, $7::timestamptz, revision, history
       FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::jsonb[])
         AS d (module_id, hash, etag, last_modified, revision, history)
       ON CONFLICT (module_id) DO UPDATE SET hash = excluded.hash, etag = excluded.etag, last_modified = excluded.last_modified,
         fetched_at = excluded.fetched_at, revision = excluded.revision, history = excluded.history`,
      [
        ids,
        contents.map(({ hash }) => hash),
        contents.map(({ validators }) => validators.etag),
        contents.map(({ validators }) => validators.lastModified),
        contents.map(({ moduleId }) => revisions.get(moduleId)?.revision ?? 0),
        contents.map(({ history }) => (history ? JSON.stringify(history) : null)),
        now,
      ],
    );
    return revisions;
  }

  /** Upstream has confirmed the documents; the validators are kept where new ones came. */
  async confirm(
    tx: EntityManager,
    confirmed: readonly { readonly moduleId: number; readonly validators: Validators | null }[],
    now: Date,
  ): Promise<void> {
    if (confirmed.length === 0) return;
    await tx.query(
      `UPDATE module_documents d SET fetched_at = $5,
         etag = CASE WHEN c.fresh THEN c.etag ELSE d.etag END,
         last_modified = CASE WHEN c.fresh THEN c.last_modified ELSE d.last_modified END
       FROM unnest($1::integer[], $2::boolean[], $3::text[], $4::text[]) AS c (module_id, fresh, etag, last_modified)
       WHERE d.module_id = c.module_id`,
      [
        confirmed.map(({ moduleId }) => moduleId),
        confirmed.map(({ validators }) => validators !== null),
        confirmed.map(({ validators }) => validators?.etag ?? null),
        confirmed.map(({ validators }) => validators?.lastModified ?? null),
        now,
      ],
    );
  }

  /**
   * Brings `releases` to what the documents list; one that is listed no more is marked, not deleted.
   * @returns ids of modules in which a security release appeared that was not there before
   */
  async replaceReleases(tx: EntityManager, contents: readonly ModuleContent[], now: Date): Promise<Set<number>> {
    const rows = contents.flatMap(({ moduleId, history }) =>
      // A map keyed by version: of a repeated one the reader keeps the last.
      history ? releaseRows(history).map((row) => ({ module_id: moduleId, ...row })) : [],
    );
    // One text, since arrays of ten columns take the driver several times as long.
    const json = JSON.stringify(rows);
    const appeared: { module_id: number }[] = await tx.query(
      `WITH n AS (
         SELECT * FROM json_to_recordset($1::json) AS n (module_id integer, version text, place integer, status text,
           "releasedAt" timestamptz, security boolean, insecure boolean, unsupported boolean, covered boolean, "coreCompatibility" text)
       ), written AS (
         INSERT INTO releases AS r (module_id, version, place, status, released_at, security, insecure, unsupported, covered,
           core_compatibility, known_at)
         SELECT n.*, $2::timestamptz FROM n
         ON CONFLICT (module_id, version) DO UPDATE SET place = excluded.place, status = excluded.status,
           released_at = excluded.released_at, security = excluded.security, insecure = excluded.insecure,
           unsupported = excluded.unsupported, covered = excluded.covered, core_compatibility = excluded.core_compatibility,
           withdrawn_at = NULL
         WHERE (r.place, r.status, r.released_at, r.security, r.insecure, r.unsupported, r.covered, r.core_compatibility, r.withdrawn_at)
           IS DISTINCT FROM (excluded.place, excluded.status, excluded.released_at, excluded.security, excluded.insecure,
             excluded.unsupported, excluded.covered, excluded.core_compatibility, NULL::timestamptz)
         RETURNING r.module_id, r.security, r.known_at
       )
       SELECT DISTINCT module_id FROM written WHERE security AND known_at = $2`,
      [json, now],
    );
    await tx.query(
      `UPDATE releases r SET withdrawn_at = $3
       WHERE r.module_id = ANY ($1::integer[]) AND r.withdrawn_at IS NULL
         AND NOT EXISTS (SELECT FROM json_to_recordset($2::json) AS n (module_id integer, version text)
                         WHERE n.module_id = r.module_id AND n.version = r.version)`,
      [contents.map(({ moduleId }) => moduleId), json, now],
    );
    return new Set(appeared.map(({ module_id }) => module_id));
  }
}
