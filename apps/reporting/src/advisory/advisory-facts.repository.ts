import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AdvisoryChanged, AdvisoryRow } from '#libs/contracts';

/** An advisory as it stands, whoever asks. */
export interface AdvisoryFacts {
  readonly advisoryId: number;
  readonly moduleId: number;
  readonly words: Omit<AdvisoryRow, 'sites_exposed' | 'sites_open' | 'sites_patched' | 'sites_unknown'>;
}

/** A version of an advisory as the catalog told of it. */
export interface KeptRevision {
  readonly revision: number;
  readonly knownAt: Date;
  readonly facts: AdvisoryChanged;
}

interface AdvisoryWordsRow {
  advisory_id: number;
  module_id: number;
  id: string;
  module: string;
  module_title: string | null;
  title: string;
  url: string;
  state: 'published' | 'retracted';
  risk: AdvisoryRow['risk'];
  risk_score: number | null;
  risk_vector: string | null;
  vulnerability: string | null;
  cves: string[];
  affected: string | null;
  affected_d7: string | null;
  fixed: string[];
  unsupported: boolean;
  published_at: Date;
  revision: number;
  known_at: Date;
}

const COLUMNS = `a.advisory_id, a.module_id, a.advisory AS id, m.module, m.title AS module_title, a.title, a.url, a.state, a.risk, a.risk_score,
  a.risk_vector, a.vulnerability, a.cves, a.affected, a.affected_d7, a.fixed, a.unsupported, a.published_at, a.revision, a.known_at`;

@Injectable()
export class AdvisoryFactsRepository {
  /** Changes with every change of an advisory, or of a module's title. */
  async stamp(tx: EntityManager): Promise<string> {
    const rows: { stamp: string }[] = await tx.query(
      `SELECT concat_ws(' ', (SELECT concat_ws(' ', count(*), sum(revision)) FROM advisories),
                             (SELECT concat_ws(' ', count(*), sum(revision)) FROM modules)) AS stamp`,
    );
    return rows[0]!.stamp;
  }

  /** Some thousands at most. */
  async all(tx: EntityManager): Promise<AdvisoryFacts[]> {
    const rows: AdvisoryWordsRow[] = await tx.query(
      `SELECT ${COLUMNS} FROM advisories a JOIN modules m USING (module_id) WHERE a.state <> 'superseded'`,
    );
    return rows.map(factsOf);
  }

  /** @param advisory as Drupal.org writes it, in upper case */
  async find(tx: EntityManager, advisory: string): Promise<AdvisoryFacts | null> {
    const rows: AdvisoryWordsRow[] = await tx.query(
      `SELECT ${COLUMNS} FROM advisories a JOIN modules m USING (module_id)
       WHERE a.advisory = $1 AND a.state <> 'superseded' ORDER BY a.revision DESC LIMIT 1`,
      [advisory],
    );
    return rows[0] ? factsOf(rows[0]) : null;
  }

  /** All versions of an advisory that are known, the newest first. */
  async revisions(tx: EntityManager, advisory: string): Promise<KeptRevision[]> {
    return tx.query(
      `SELECT revision, known_at AS "knownAt", facts FROM advisory_revisions WHERE advisory = $1 ORDER BY revision DESC`,
      [advisory],
    );
  }

  /** Versions that cannot be compared with the ranges of advisories. */
  async unknownVersions(
    tx: EntityManager,
    advisories: readonly AdvisoryFacts[],
  ): Promise<{ causeId: number; versionId: number }[]> {
    if (advisories.length === 0) return [];
    return tx.query(
      `SELECT cause_id AS "causeId", version_id AS "versionId" FROM vulnerable_versions
       WHERE module_id = ANY ($1) AND cause_id = ANY ($2) AND verdict = 'unknown'`,
      [advisories.map(({ moduleId }) => moduleId), advisories.map(({ advisoryId }) => advisoryId)],
    );
  }
}

function factsOf({ advisory_id, module_id, published_at, known_at, ...words }: AdvisoryWordsRow): AdvisoryFacts {
  return {
    advisoryId: advisory_id,
    moduleId: module_id,
    words: { ...words, published_at: published_at.toISOString(), known_at: known_at.toISOString() },
  };
}
