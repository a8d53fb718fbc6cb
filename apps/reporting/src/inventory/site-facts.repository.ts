import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { booleans, numbers, texts } from '#libs/database';

/** An inventory that changed something, as a row. Instants are RFC 3339. */
export interface InventoryRow {
  readonly siteId: number;
  readonly organizationId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly pushId: string;
  readonly observedAt: string;
  readonly previousObservedAt: string | null;
  readonly receivedAt: string;
  readonly complete: boolean;
  readonly coreVersion: string | null;
  readonly phpVersion: string | null;
  readonly changes: number;
}

/** One fact of an inventory; `versionId` null: the module is gone. */
export interface FactRow {
  readonly siteId: number;
  readonly moduleId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly organizationId: number;
  readonly versionId: number | null;
  readonly datestamp: number | null;
  readonly state: string | null;
  readonly type: string;
  readonly observedAt: string;
  readonly previousObservedAt: string | null;
}

/** Which inventory of which site. */
export interface InventoryKey {
  readonly siteId: number;
  readonly epoch: number;
  readonly sequence: number;
}

/** A module of a site with new facts: the smallest `(epoch, sequence)` of them. */
export interface ChangedPair extends InventoryKey {
  readonly moduleId: number;
}

@Injectable()
export class SiteFactsRepository {
  /** Stores inventories not stored before and returns those. */
  async addInventories(tx: EntityManager, rows: readonly InventoryRow[]): Promise<InventoryKey[]> {
    if (rows.length === 0) return [];
    const added: { site_id: number; epoch: number; sequence: number }[] = await tx.query(
      `INSERT INTO site_inventories (site_id, organization_id, epoch, sequence, push_id, observed_at, previous_observed_at,
                                     received_at, complete, core_version, php_version, changes)
       SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::uuid[], $6::timestamptz[], $7::timestamptz[],
                            $8::timestamptz[], $9::boolean[], $10::text[], $11::text[], $12::int[])
       ON CONFLICT (site_id, epoch, sequence) DO NOTHING
       RETURNING site_id, epoch::float8 AS epoch, sequence::float8 AS sequence`,
      [
        numbers(rows.map((row) => row.siteId)),
        numbers(rows.map((row) => row.organizationId)),
        numbers(rows.map((row) => row.epoch)),
        numbers(rows.map((row) => row.sequence)),
        texts(rows.map((row) => row.pushId)),
        texts(rows.map((row) => row.observedAt)),
        texts(rows.map((row) => row.previousObservedAt)),
        texts(rows.map((row) => row.receivedAt)),
        booleans(rows.map((row) => row.complete)),
        texts(rows.map((row) => row.coreVersion)),
        texts(rows.map((row) => row.phpVersion)),
        numbers(rows.map((row) => row.changes)),
      ],
    );
    return added.map((row) => ({ siteId: row.site_id, epoch: row.epoch, sequence: row.sequence }));
  }

  /** Stores facts not stored before and returns the pairs that got one. A fact that is there already is the same fact. */
  async addFacts(tx: EntityManager, rows: readonly FactRow[]): Promise<ChangedPair[]> {
    if (rows.length === 0) return [];
    const added: { site_id: number; module_id: number; epoch: number; sequence: number }[] = await tx.query(
      `INSERT INTO site_facts (site_id, module_id, epoch, sequence, organization_id, version_id, datestamp, state, type,
                               observed_at, previous_observed_at)
       SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[], $5::int[], $6::int[], $7::bigint[], $8::text[],
                            $9::text[], $10::timestamptz[], $11::timestamptz[])
       ON CONFLICT (site_id, module_id, epoch, sequence) DO NOTHING
       RETURNING site_id, module_id, epoch::float8 AS epoch, sequence::float8 AS sequence`,
      [
        numbers(rows.map((row) => row.siteId)),
        numbers(rows.map((row) => row.moduleId)),
        numbers(rows.map((row) => row.epoch)),
        numbers(rows.map((row) => row.sequence)),
        numbers(rows.map((row) => row.organizationId)),
        numbers(rows.map((row) => row.versionId)),
        numbers(rows.map((row) => row.datestamp)),
        texts(rows.map((row) => row.state)),
        texts(rows.map((row) => row.type)),
        texts(rows.map((row) => row.observedAt)),
        texts(rows.map((row) => row.previousObservedAt)),
      ],
    );
    return smallestOfPairs(
      added.map((row) => ({
        siteId: row.site_id,
        moduleId: row.module_id,
        epoch: row.epoch,
        sequence: row.sequence,
      })),
    );
  }

  /**
   * Derives the intervals that new facts change and writes those that differ. Time never runs backwards along `(epoch, sequence)`,
   * whatever the facts claim. The caller holds the sites' rows.
   *
   * An interval follows from the facts up to its own and from the start of the next one. So those before the predecessor of the first new
   * fact stand, and so does the predecessor's start, from which time goes on; all from there on is derived. What a site reports comes at
   * the end as a rule: then these are two, however long its history is.
   * @returns by position, how each pair stood before (`standing`); null where the module was not installed
   */
  async deriveIntervals(tx: EntityManager, changed: readonly ChangedPair[]): Promise<(string | null)[]> {
    if (changed.length === 0) return [];
    const before: { standing: string | null }[] = await tx.query(DERIVE_INTERVALS_SQL, [
      numbers(changed.map((pair) => pair.siteId)),
      numbers(changed.map((pair) => pair.moduleId)),
      numbers(changed.map((pair) => pair.epoch)),
      numbers(changed.map((pair) => pair.sequence)),
    ]);
    return before.map(({ standing }) => standing);
  }
}

/**
 * Parameters: $1 site ids, $2 module ids, $3 and $4 epoch and sequence of the pairs' smallest new facts, by position.
 *
 * LATERAL with LIMIT or OFFSET 0 is for the planner: it looks up each pair by the key, and cannot take to reading a whole table
 * because half of the sites report at once. The last SELECT sees the rows as they were before the statement.
 */
const DERIVE_INTERVALS_SQL = `
  WITH pairs AS MATERIALIZED (
    SELECT * FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
                  AS pair(site_id, module_id, epoch, sequence, position)
  ), starts AS MATERIALIZED (
    SELECT p.site_id, p.module_id, coalesce(predecessor.epoch, p.epoch) AS epoch,
           coalesce(predecessor.sequence, p.sequence) AS sequence, predecessor.valid_from AS reached
    FROM pairs p
    LEFT JOIN LATERAL (
      SELECT m.epoch, m.sequence, m.valid_from FROM site_modules m
      WHERE m.site_id = p.site_id AND m.module_id = p.module_id AND (m.epoch, m.sequence) < (p.epoch, p.sequence)
      ORDER BY m.epoch DESC, m.sequence DESC LIMIT 1
    ) predecessor ON true
  ), ordered AS (
    SELECT f.*, greatest(s.reached, max(f.observed_at) OVER (PARTITION BY f.site_id, f.module_id ORDER BY f.epoch, f.sequence))
                AS valid_from
    FROM starts s
    CROSS JOIN LATERAL (
      SELECT * FROM site_facts f
      WHERE f.site_id = s.site_id AND f.module_id = s.module_id AND (f.epoch, f.sequence) >= (s.epoch, s.sequence)
      OFFSET 0
    ) f
  ), derived AS (
    SELECT o.*, lead(o.valid_from) OVER following AS valid_to,
           lead(o.sequence) OVER following IS NULL AND o.version_id IS NOT NULL AS current
    FROM ordered o
    WINDOW following AS (PARTITION BY o.site_id, o.module_id ORDER BY o.epoch, o.sequence)
  ), written AS (
    INSERT INTO site_modules AS there (site_id, module_id, epoch, sequence, organization_id, version_id, state, type, valid_from,
                                       valid_to, previous_observed_at, current)
    SELECT d.site_id, d.module_id, d.epoch, d.sequence, d.organization_id, d.version_id, d.state, d.type, d.valid_from,
           d.valid_to, d.previous_observed_at, d.current
    FROM derived d
    LEFT JOIN LATERAL (
      SELECT true AS known, m.valid_from, m.valid_to, m.current FROM site_modules m
      WHERE m.site_id = d.site_id AND m.module_id = d.module_id AND m.epoch = d.epoch AND m.sequence = d.sequence
      OFFSET 0
    ) m ON true
    WHERE m.known IS NULL OR (m.valid_from, m.valid_to, m.current) IS DISTINCT FROM (d.valid_from, d.valid_to, d.current)
    ON CONFLICT (site_id, module_id, epoch, sequence) DO UPDATE
    SET valid_from = excluded.valid_from, valid_to = excluded.valid_to, current = excluded.current,
        standing = CASE WHEN excluded.current THEN there.standing END
  )
  SELECT newest.standing
  FROM pairs p
  LEFT JOIN LATERAL (
    SELECT m.standing FROM site_modules m WHERE m.site_id = p.site_id AND m.module_id = p.module_id
    ORDER BY m.epoch DESC, m.sequence DESC LIMIT 1
  ) newest ON true
  ORDER BY p.position
`;

/** One batch may bring several facts of a pair, in any order. */
function smallestOfPairs(facts: readonly ChangedPair[]): ChangedPair[] {
  const smallest = new Map<string, ChangedPair>();
  for (const fact of facts) {
    const key = `${fact.siteId} ${fact.moduleId}`;
    const known = smallest.get(key);
    if (!known || fact.epoch < known.epoch || (fact.epoch === known.epoch && fact.sequence < known.sequence))
      smallest.set(key, fact);
  }
  return [...smallest.values()];
}
