import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AdvisoryChanged, Risk } from '#libs/contracts';
import type { Validators } from '../upstream/upstream-port.js';
import type { AdvisoryFacts } from './advisory-facts.js';
import type { AdvisorySource, Reading } from './combine-readings.js';
import type { KnownAdvisory } from './reconcile-advisories.js';

/** How far a source has been read. */
export interface SourceState {
  readonly name: AdvisorySource;
  readonly validators: Validators;
  /** When it was last read to its end; null: never. */
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
  known_at: Date;
}

interface ReadingRow {
  advisory: string;
  source: AdvisorySource;
  facts: AdvisoryFacts;
  read_at: Date;
  missing_since: Date | null;
}

/** Any number: two sources may be read at the same time, but what they say is compared one after the other. */
const ADVISORIES_LOCK = 7_301_002;

@Injectable()
export class AdvisoryRepository {
  /** Until the transaction ends nobody else compares or writes advisories. */
  async lock(tx: EntityManager): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [ADVISORIES_LOCK]);
  }

  async source(tx: EntityManager, name: AdvisorySource): Promise<SourceState | null> {
    const [row]: { etag: string | null; last_modified: string | null; walked_at: Date | null }[] = await tx.query(
      'SELECT etag, last_modified, walked_at FROM advisory_feed WHERE feed = $1',
      [name],
    );
    return (
      (row && { name, validators: { etag: row.etag, lastModified: row.last_modified }, walkedAt: row.walked_at }) ??
      null
    );
  }

  async saveSource(tx: EntityManager, { name, validators, walkedAt }: SourceState): Promise<void> {
    await tx.query(
      `INSERT INTO advisory_feed (feed, etag, last_modified, walked_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (feed) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified, walked_at = excluded.walked_at`,
      [name, validators.etag, validators.lastModified, walkedAt],
    );
  }

  /** All advisories, by id. Some thousands at most. */
  async all(tx: EntityManager): Promise<Map<string, KnownAdvisory>> {
    const rows: AdvisoryRow[] = await tx.query('SELECT * FROM advisories');
    const readings: ReadingRow[] = await tx.query(
      'SELECT advisory, source, facts, read_at, missing_since FROM advisory_readings',
    );
    const bySource = new Map(readings.map((row) => [`${row.source} ${row.advisory}`, row]));
    const reading = (source: AdvisorySource, advisory: string): Reading | null => {
      const row = bySource.get(`${source} ${advisory}`);
      return row ? { facts: row.facts, readAt: row.read_at, missingSince: row.missing_since } : null;
    };
    return new Map(
      rows.map(({ revision, state, published_at, known_at: _, ...facts }) => [
        facts.advisory,
        {
          facts: { ...facts, published_at: published_at.toISOString() },
          revision,
          state,
          readings: { feed: reading('feed', facts.advisory), archive: reading('archive', facts.advisory) },
        },
      ]),
    );
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
         affected_d7 = excluded.affected_d7, fixed = excluded.fixed, unsupported = excluded.unsupported`,
      [json],
    );
    await tx.query(
      `INSERT INTO advisory_versions (advisory, revision, known_at, facts)
       SELECT n ->> 'advisory', (n ->> 'revision')::integer, $2::timestamptz, n FROM jsonb_array_elements($1::jsonb) AS n`,
      [json, now],
    );
  }

  /** What a source says now; the advisories are there. */
  async saveReadings(
    tx: EntityManager,
    source: AdvisorySource,
    readings: readonly { readonly facts: AdvisoryFacts; readonly changedAt: Date | null }[],
    readAt: Date,
  ): Promise<void> {
    if (readings.length === 0) return;
    await tx.query(
      `INSERT INTO advisory_readings (advisory, source, facts, changed_at, read_at)
       SELECT advisory, $1, facts, changed_at, $5::timestamptz
       FROM unnest($2::text[], $3::jsonb[], $4::timestamptz[]) AS n (advisory, facts, changed_at)
       ON CONFLICT (advisory, source) DO UPDATE SET facts = excluded.facts, changed_at = excluded.changed_at,
         read_at = excluded.read_at, missing_since = NULL`,
      [
        source,
        readings.map(({ facts }) => facts.advisory),
        readings.map(({ facts }) => JSON.stringify(facts)),
        readings.map(({ changedAt }) => changedAt),
        readAt,
      ],
    );
  }

  async markMissing(
    tx: EntityManager,
    source: AdvisorySource,
    advisories: readonly string[],
    missingSince: Date,
  ): Promise<void> {
    if (advisories.length === 0) return;
    await tx.query(
      'UPDATE advisory_readings SET missing_since = $3 WHERE source = $1 AND advisory = ANY ($2::text[])',
      [source, advisories, missingSince],
    );
  }

  /** Whether something is missing from `source` and has not been decided upon. What the archive still shows is decided: it is there. */
  async pendingMissing(reader: EntityManager, source: AdvisorySource): Promise<boolean> {
    const [row]: { pending: boolean }[] = await reader.query(
      `SELECT EXISTS (
         SELECT FROM advisory_readings r JOIN advisories a USING (advisory)
         WHERE r.source = $1 AND r.missing_since IS NOT NULL AND a.state = 'published'
           AND NOT EXISTS (SELECT FROM advisory_readings o WHERE $1 = 'feed' AND o.advisory = r.advisory AND o.source = 'archive')
       ) AS pending`,
      [source],
    );
    return row!.pending;
  }

  /** Whether something has gone missing from the feed after `walkedAt`. */
  async missingFromFeedSince(reader: EntityManager, walkedAt: Date): Promise<boolean> {
    const [row]: { missing: boolean }[] = await reader.query(
      `SELECT EXISTS (
         SELECT FROM advisory_readings r JOIN advisories a USING (advisory)
         WHERE r.source = 'feed' AND r.missing_since > $1 AND a.state = 'published'
       ) AS missing`,
      [walkedAt],
    );
    return row!.missing;
  }

  /** The latest change in the archive that is known; null: none is. */
  async changedUntil(reader: EntityManager): Promise<Date | null> {
    const [row]: { until: Date | null }[] = await reader.query(
      `SELECT max(changed_at) AS until FROM advisory_readings WHERE source = 'archive'`,
    );
    return row!.until;
  }

  /** Machine names of projects, by the number of their node. */
  async projects(reader: EntityManager): Promise<Map<number, string>> {
    const rows: { nid: string; module: string }[] = await reader.query('SELECT nid, module FROM upstream_projects');
    return new Map(rows.map(({ nid, module }) => [Number(nid), module]));
  }

  async saveProjects(tx: EntityManager, projects: ReadonlyMap<number, string>, now: Date): Promise<void> {
    if (projects.size === 0) return;
    await tx.query(
      `INSERT INTO upstream_projects (nid, module, known_at)
       SELECT nid, module, $3::timestamptz FROM unnest($1::bigint[], $2::text[]) AS n (nid, module)
       ON CONFLICT (nid) DO UPDATE SET module = excluded.module`,
      [[...projects.keys()], [...projects.values()], now],
    );
  }
}
