import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AdvisoryChanged, ModuleReleasesChanged } from '#libs/contracts';
import type { StoredHistory } from './known-histories.js';
import type { JudgedAdvisory } from './version-judgement.js';

/** Advisory as judged, with the module it is about. */
export interface StoredAdvisory extends JudgedAdvisory {
  readonly moduleId: number;
}

@Injectable()
export class CatalogRepository {
  /** Ids of modules by name; unknown ones are added. */
  async moduleIds(tx: EntityManager, modules: readonly string[]): Promise<Map<string, number>> {
    const names = [...new Set(modules)].sort();
    const known = await this.knownModuleIds(tx, names);
    const missing = names.filter((name) => !known.has(name));
    if (missing.length === 0) return known;
    // Another transaction may add the same one at the same time: wait for it, then read what it added.
    await tx.query(`INSERT INTO modules (module) SELECT unnest($1::text[]) ON CONFLICT (module) DO NOTHING`, [missing]);
    return this.knownModuleIds(tx, names);
  }

  private async knownModuleIds(tx: EntityManager, names: readonly string[]): Promise<Map<string, number>> {
    const rows: { module_id: number; module: string }[] = await tx.query(
      `SELECT module_id, module FROM modules WHERE module = ANY ($1)`,
      [names],
    );
    return new Map(rows.map((row) => [row.module, row.module_id]));
  }

  /** Stores the histories that are newer than what stands and returns the modules that changed. */
  async storeHistories(tx: EntityManager, histories: readonly ModuleReleasesChanged[]): Promise<number[]> {
    if (histories.length === 0) return [];
    const rows: { module_id: number }[] = await tx.query(
      `WITH arrived AS (
         SELECT * FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::jsonb[])
                       AS row(module, revision, known_at, outcome, history)
       ), changed AS (
         UPDATE modules m
         SET revision = a.revision, known_at = a.known_at, outcome = a.outcome, history = a.history,
             title = coalesce(a.history ->> 'title', m.title), link = coalesce(a.history ->> 'link', m.link),
             type = coalesce(a.history ->> 'type', m.type)
         FROM arrived a
         WHERE m.module = a.module AND m.revision < a.revision
         RETURNING m.module_id
       )
       SELECT module_id FROM changed`,
      [
        histories.map((history) => history.module),
        histories.map((history) => history.revision),
        histories.map((history) => history.known_at),
        histories.map((history) => history.outcome),
        histories.map((history) => (history.history ? JSON.stringify(history.history) : null)),
      ],
    );
    return rows.map((row) => row.module_id);
  }

  /** Stores the advisories that are newer than what stands and returns the ids of those. */
  async storeAdvisories(
    tx: EntityManager,
    advisories: readonly AdvisoryChanged[],
    moduleIds: ReadonlyMap<string, number>,
  ): Promise<number[]> {
    if (advisories.length === 0) return [];
    const rows: { advisory_id: number }[] = await tx.query(
      `INSERT INTO advisories AS there (module_id, advisory, revision, state, title, url, published_at, known_at, risk, risk_score,
                                        risk_vector, vulnerability, cves, affected, affected_d7, fixed, unsupported)
       SELECT r.module_id, r.advisory, r.revision, r.state, r.title, r.url, r.published_at, r.known_at, r.risk, r.risk_score,
              r.risk_vector, r.vulnerability, ARRAY(SELECT jsonb_array_elements_text(r.cves)), r.affected, r.affected_d7,
              ARRAY(SELECT jsonb_array_elements_text(r.fixed)), r.unsupported
       FROM unnest($1::int[], $2::jsonb[]) AS row(module_id, document)
       CROSS JOIN LATERAL jsonb_to_record(row.document) AS document(advisory text, revision int, state text, title text, url text,
         published_at timestamptz, known_at timestamptz, risk text, risk_score int, risk_vector text, vulnerability text,
         cves jsonb, affected text, affected_d7 text, fixed jsonb, unsupported boolean)
       CROSS JOIN LATERAL (SELECT row.module_id, document.*) AS r
       ON CONFLICT (advisory, module_id) DO UPDATE
       SET revision = excluded.revision, state = excluded.state, title = excluded.title, url = excluded.url,
           published_at = excluded.published_at, known_at = excluded.known_at, risk = excluded.risk,
           risk_score = excluded.risk_score, risk_vector = excluded.risk_vector, vulnerability = excluded.vulnerability,
           cves = excluded.cves, affected = excluded.affected, affected_d7 = excluded.affected_d7, fixed = excluded.fixed,
           unsupported = excluded.unsupported
       WHERE there.revision < excluded.revision
       RETURNING advisory_id`,
      [
        advisories.map((advisory) => moduleIds.get(advisory.module)),
        advisories.map((advisory) => JSON.stringify(advisory)),
      ],
    );
    return rows.map((row) => row.advisory_id);
  }

  /** Keeps every version of advisories that was told of. */
  async keepRevisions(tx: EntityManager, advisories: readonly AdvisoryChanged[]): Promise<void> {
    if (advisories.length === 0) return;
    await tx.query(
      `INSERT INTO advisory_revisions (advisory, revision, known_at, facts)
       SELECT facts ->> 'advisory', (facts ->> 'revision')::int, (facts ->> 'known_at')::timestamptz, facts
       FROM unnest($1::jsonb[]) AS facts
       ON CONFLICT (advisory, revision) DO NOTHING`,
      [advisories.map((advisory) => JSON.stringify(advisory))],
    );
  }

  /** Names of the modules that advisories were about so far. */
  async modulesNamedBy(tx: EntityManager, advisories: readonly string[]): Promise<string[]> {
    if (advisories.length === 0) return [];
    const rows: { module: string }[] = await tx.query(
      `SELECT DISTINCT m.module FROM advisories a JOIN modules m USING (module_id) WHERE a.advisory = ANY ($1)`,
      [advisories],
    );
    return rows.map((row) => row.module);
  }

  /** An advisory is about one module: what an older revision said of another one no longer stands. Returns the ids of those. */
  async supersede(tx: EntityManager, advisories: readonly string[]): Promise<number[]> {
    if (advisories.length === 0) return [];
    const rows: { advisory_id: number }[] = await tx.query(
      `WITH superseded AS (
         UPDATE advisories old SET state = 'superseded', revision = new.revision
         FROM advisories new
         WHERE old.advisory = ANY ($1) AND new.advisory = old.advisory AND new.revision > old.revision
           AND new.state <> 'superseded'
         RETURNING old.advisory_id
       )
       SELECT advisory_id FROM superseded`,
      [advisories],
    );
    return rows.map((row) => row.advisory_id);
  }

  /** Ids of the modules that advisories are about. */
  async modulesOf(tx: EntityManager, advisoryIds: readonly number[]): Promise<number[]> {
    if (advisoryIds.length === 0) return [];
    const rows: { module_id: number }[] = await tx.query(
      `SELECT DISTINCT module_id FROM advisories WHERE advisory_id = ANY ($1)`,
      [advisoryIds],
    );
    return rows.map((row) => row.module_id);
  }

  /** The modules' histories without their releases. */
  async histories(tx: EntityManager, moduleIds: readonly number[]): Promise<StoredHistory[]> {
    const rows: { module_id: number; module: string; revision: number; known_at: Date | null }[] = await tx.query(
      `SELECT module_id, module, revision, known_at FROM modules WHERE module_id = ANY ($1) ORDER BY module_id`,
      [moduleIds],
    );
    return rows.map((row) => ({
      moduleId: row.module_id,
      module: row.module,
      revision: row.revision,
      knownAt: row.known_at,
    }));
  }

  /** The release documents of modules; null where upstream knows no such project. */
  async documents(
    tx: EntityManager,
    moduleIds: readonly number[],
  ): Promise<Map<number, ModuleReleasesChanged['history']>> {
    if (moduleIds.length === 0) return new Map();
    const rows: { module_id: number; history: ModuleReleasesChanged['history'] }[] = await tx.query(
      `SELECT module_id, history FROM modules WHERE module_id = ANY ($1)`,
      [moduleIds],
    );
    return new Map(rows.map((row) => [row.module_id, row.history]));
  }

  /** All advisories on modules, also the retracted ones. */
  async advisories(tx: EntityManager, moduleIds: readonly number[]): Promise<StoredAdvisory[]> {
    const rows: {
      advisory_id: number;
      module_id: number;
      state: string;
      published_at: Date;
      affected: string | null;
      affected_d7: string | null;
      unsupported: boolean;
    }[] = await tx.query(
      `SELECT advisory_id, module_id, state, published_at, affected, affected_d7, unsupported
       FROM advisories WHERE module_id = ANY ($1) ORDER BY advisory_id`,
      [moduleIds],
    );
    return rows.map((row) => ({
      advisoryId: row.advisory_id,
      moduleId: row.module_id,
      state: row.state,
      publishedAt: row.published_at,
      affected: row.affected,
      affectedD7: row.affected_d7,
      unsupported: row.unsupported,
    }));
  }
}
