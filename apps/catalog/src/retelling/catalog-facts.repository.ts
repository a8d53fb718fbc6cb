import type { EntityManager } from 'typeorm';
import type { AdvisoryChanged, ModuleReleasesChanged } from '#libs/contracts';

/** What the catalog has told of a module and of advisories, as it stands. */
export class CatalogFactsRepository {
  /** The next modules after `afterModule` by name whose releases were told of. */
  async modules(tx: EntityManager, afterModule: string, limit: number): Promise<ModuleReleasesChanged[]> {
    const rows: (Omit<ModuleReleasesChanged, 'known_at'> & { known_at: Date })[] = await tx.query(
      `SELECT m.module, m.revision, m.known_at, m.outcome, d.history
       FROM modules m LEFT JOIN module_documents d USING (module_id)
       WHERE m.module COLLATE "C" > $1 AND m.revision > 0 ORDER BY m.module COLLATE "C" LIMIT $2`,
      [afterModule, limit],
    );
    return rows.map((row) => ({ ...row, known_at: row.known_at.toISOString() }));
  }

  /** The next advisories after `afterAdvisory` by id. */
  async advisories(tx: EntityManager, afterAdvisory: string, limit: number): Promise<AdvisoryChanged[]> {
    const rows: (Omit<AdvisoryChanged, 'published_at' | 'known_at'> & { published_at: Date; known_at: Date })[] =
      await tx.query(
        `SELECT advisory, module, revision, state, title, url, published_at, known_at, risk, risk_score, risk_vector, vulnerability, cves,
                affected, affected_d7, fixed, unsupported
         FROM advisories WHERE advisory COLLATE "C" > $1 ORDER BY advisory COLLATE "C" LIMIT $2`,
        [afterAdvisory, limit],
      );
    return rows.map((row) => ({
      ...row,
      published_at: row.published_at.toISOString(),
      known_at: row.known_at.toISOString(),
    }));
  }
}
