import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AdvisoryChanged, Risk } from '#libs/contracts';
import type { Validators } from '../upstream/upstream-port.js';
import type { KnownAdvisory } from './reconcile-advisories.js';

export interface FeedState {
  readonly validators: Validators;
  readonly walkedAt: Date | null;
}

interface AdvisoryRow {
  advisory: string;
  module: string;
  revision: number;
  state: 'published' | 'retracted';
  title: string;
  url: string;
  published_at: Date;
  risk: Risk | null;
  risk_score: number | null;
  risk_vector: string | null;
  vulnerability: string | null;
  cves: string[];
  affected: string | null;
  affected_d7: string | null;
  fixed: string[];
  unsupported: boolean;
  missing_since: Date | null;
}

const FEED = 'all';

@Injectable()
export class AdvisoryRepository {
  async feed(tx: EntityManager): Promise<FeedState | null> {
    const [row]: { etag: string | null; last_modified: string | null; walked_at: Date | null }[] = await tx.query(
      'SELECT etag, last_modified, walked_at FROM advisory_feed WHERE feed = $1',
      [FEED],
    );
    return row ? { validators: { etag: row.etag, lastModified: row.last_modified }, walkedAt: row.walked_at } : null;
  }

  async saveFeed(tx: EntityManager, { validators, walkedAt }: FeedState): Promise<void> {
    await tx.query(
      `INSERT INTO advisory_feed (feed, etag, last_modified, walked_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (feed) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified, walked_at = excluded.walked_at`,
      [FEED, validators.etag, validators.lastModified, walkedAt],
    );
  }

  /** All advisories, by id. Some thousands at most. */
  async all(tx: EntityManager): Promise<Map<string, KnownAdvisory>> {
    const rows: AdvisoryRow[] = await tx.query('SELECT * FROM advisories');
    return new Map(rows.map((row) => [row.advisory, toKnown(row)]));
  }

  /** Writes the present state of advisories and keeps it as a version. */
  async save(tx: EntityManager, bodies: readonly AdvisoryChanged[], now: Date): Promise<void> {
    if (bodies.length === 0) return;
    const json = JSON.stringify(bodies);
    await tx.query(
      `INSERT INTO advisories (advisory, module, revision, state, title, url, published_at, known_at, risk, risk_score, risk_vector,
         vulnerability, cves, affected, affected_d7, fixed, unsupported)
       SELECT advisory, module, revision, state, title, url, published_at, known_at, risk, risk_score, risk_vector,
         vulnerability, cves, affected, affected_d7, fixed, unsupported
       FROM json_to_recordset($1::json) AS n (advisory text, module text, revision integer, state text, title text, url text,
         published_at timestamptz, known_at timestamptz, risk text, risk_score integer, risk_vector text, vulnerability text, cves text[],
         affected text, affected_d7 text, fixed text[], unsupported boolean)
       ON CONFLICT (advisory) DO UPDATE SET module = excluded.module, revision = excluded.revision, state = excluded.state,
         title = excluded.title, url = excluded.url, published_at = excluded.published_at, known_at = excluded.known_at,
         risk = excluded.risk, risk_score = excluded.risk_score, risk_vector = excluded.risk_vector,
         vulnerability = excluded.vulnerability, cves = excluded.cves, affected = excluded.affected,
         affected_d7 = excluded.affected_d7, fixed = excluded.fixed, unsupported = excluded.unsupported, missing_since = NULL`,
      [json],
    );
    await tx.query(
      `INSERT INTO advisory_versions (advisory, revision, known_at, facts)
       SELECT n ->> 'advisory', (n ->> 'revision')::integer, $2::timestamptz, n FROM jsonb_array_elements($1::jsonb) AS n`,
      [json, now],
    );
  }

  /** @param missingSince null: it is there again */
  async markMissing(tx: EntityManager, advisories: readonly string[], missingSince: Date | null): Promise<void> {
    if (advisories.length === 0) return;
    await tx.query('UPDATE advisories SET missing_since = $2 WHERE advisory = ANY($1::text[])', [
      advisories,
      missingSince,
    ]);
  }
}

function toKnown(row: AdvisoryRow): KnownAdvisory {
  const { revision, state, missing_since, published_at, ...facts } = row;
  return {
    facts: { ...facts, published_at: published_at.toISOString() },
    revision,
    state,
    missingSince: missing_since,
  };
}
