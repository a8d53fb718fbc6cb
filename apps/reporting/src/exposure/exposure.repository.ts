import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { numbers, texts } from '#libs/database';
import { newId } from '#libs/runtime';
import { ANCHORS_SQL, type EpisodeAnchors, type FactPlace } from './episode-anchor.repository.js';
import { EPISODES_SQL } from './exposure-episode.repository.js';
import type { DerivedEpisode, RecordedEpisode, Reconciliation } from './exposure-reconciliation.js';

/** Which episodes an assessment is about: sites and modules by position, and the causes (null: all). */
export interface AssessedPairs {
  readonly siteIds: readonly number[];
  readonly moduleIds: readonly number[];
  readonly causeIds: readonly number[] | null;
  /**
   * The smallest fact of each pair that is new, by position, when nothing else has changed since the exposures were brought in step.
   * Left out: anything may have.
   */
  readonly newFrom?: readonly FactPlace[];
}

interface EpisodeRow {
  site_id: number;
  module_id: number;
  cause_id: number;
  opened_at: Date;
  published_at: Date;
  installed_version: string | null;
  fixed_in: string[] | null;
  state: 'open' | 'unknown' | 'closed';
  unknown_since: Date | null;
  closed_at: Date | null;
  closed_after: Date | null;
  reason: 'patched' | 'removed' | 'site_removed' | null;
  closed_version: string | null;
}

@Injectable()
export class ExposureRepository {
  /** Where the derivation may begin, by position, when only the facts from `newFrom` on are new. The intervals are already those after them. */
  async anchors(tx: EntityManager, { siteIds, moduleIds, newFrom }: AssessedPairs): Promise<EpisodeAnchors> {
    if (!newFrom) return siteIds.map(() => null);
    const rows: { epoch: number | null; sequence: number; valid_from: string; version_id: number | null }[] =
      await tx.query(ANCHORS_SQL, [
        numbers(siteIds),
        numbers(moduleIds),
        numbers(newFrom.map(({ epoch }) => epoch)),
        numbers(newFrom.map(({ sequence }) => sequence)),
      ]);
    return rows.map((row) =>
      row.epoch === null
        ? null
        : { epoch: row.epoch, sequence: row.sequence, validFrom: row.valid_from, versionId: row.version_id },
    );
  }

  /** The episodes that follow from intervals and verdicts as this transaction sees them, from the anchors on. */
  async derive(tx: EntityManager, pairs: AssessedPairs, anchors: EpisodeAnchors): Promise<DerivedEpisode[]> {
    const rows: (EpisodeRow & { organization_id: number; opens_at_anchor: boolean })[] = await tx.query(EPISODES_SQL, [
      ...parameters(pairs),
      numbers(anchors.map((anchor) => anchor?.epoch ?? -1)),
      numbers(anchors.map((anchor) => anchor?.sequence ?? -1)),
    ]);
    return rows.map((row) => ({
      ...episodeOf(row),
      organizationId: row.organization_id,
      opensAtAnchor: row.opens_at_anchor,
    }));
  }

  /**
   * The episodes on record that were not closed when the anchors began, without the retracted ones. Those that opened since, and of each
   * cause that makes the anchor unsafe the last one that opened before: if it was not closed then, it stood there.
   */
  async recorded(tx: EntityManager, pairs: AssessedPairs, anchors: EpisodeAnchors): Promise<RecordedEpisode[]> {
    const rows: (EpisodeRow & { exposure_id: string })[] = await tx.query(
      `WITH pairs AS MATERIALIZED (
         SELECT * FROM unnest($1::int[], $2::int[], $4::timestamptz[], $5::int[]) AS pair(site_id, module_id, since, version_id)
       )
       SELECT ${RECORDED_COLUMNS}
       FROM pairs p
       CROSS JOIN LATERAL (
         SELECT * FROM exposures i
         WHERE i.site_id = p.site_id AND i.module_id = p.module_id AND i.retracted_at IS NULL
           AND i.opened_at > p.since
         OFFSET 0
       ) e
       -- Outside on purpose: inside it would lead to the index on causes, which holds every site, as long as statistics are old.
       WHERE $3::int[] IS NULL OR e.cause_id = ANY ($3)
       UNION ALL
       SELECT ${RECORDED_COLUMNS}
       FROM pairs p
       JOIN vulnerable_versions v USING (version_id)
       CROSS JOIN LATERAL (
         SELECT * FROM exposures i
         WHERE i.site_id = p.site_id AND i.module_id = p.module_id AND i.cause_id = v.cause_id AND i.retracted_at IS NULL
           AND i.opened_at <= p.since
         ORDER BY i.opened_at DESC LIMIT 1
       ) e
       WHERE v.verdict = 'affected' AND (e.closed_at IS NULL OR e.closed_at > p.since)
         AND ($3::int[] IS NULL OR v.cause_id = ANY ($3))`,
      [
        ...parameters(pairs),
        texts(anchors.map((anchor) => anchor?.validFrom ?? '-infinity')),
        numbers(anchors.map((anchor) => anchor?.versionId ?? null)),
      ],
    );
    return rows.map((row) => ({ ...episodeOf(row), exposureId: Number(row.exposure_id) }));
  }

  /** Retracts first, because an episode that takes a retracted one's place has its identity. Returns the ids of the new rows. */
  async apply(tx: EntityManager, changes: Reconciliation, now: Date): Promise<number[]> {
    await this.retract(tx, changes.retract, now);
    await this.close(tx, changes.close, now);
    await this.update(tx, changes.update);
    return this.insert(tx, changes.insert, now);
  }

  private async insert(tx: EntityManager, episodes: readonly DerivedEpisode[], now: Date): Promise<number[]> {
    if (episodes.length === 0) return [];
    const rows: { exposure_id: string }[] = await tx.query(
      `INSERT INTO exposures (exposure_uuid, organization_id, site_id, module_id, cause_id, installed_version, published_at, fixed_in,
                              opened_at, state, unknown_since, closed_at, closed_after, reason, closed_version, recorded_at,
                              closed_recorded_at)
       SELECT row.exposure_uuid, row.organization_id, row.site_id, row.module_id, row.cause_id, row.installed_version,
              row.published_at, row.fixed_in::text[], row.opened_at, row.state, row.unknown_since, row.closed_at,
              row.closed_after, row.reason, row.closed_version, $16, CASE WHEN row.state = 'closed' THEN $16::timestamptz END
       FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::text[], $7::timestamptz[], $8::text[],
                   $9::timestamptz[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::text[],
                   $15::text[])
            AS row(exposure_uuid, organization_id, site_id, module_id, cause_id, installed_version, published_at, fixed_in,
                   opened_at, state, unknown_since, closed_at, closed_after, reason, closed_version)
       RETURNING exposure_id`,
      [
        episodes.map(() => newId()),
        episodes.map((episode) => episode.organizationId),
        episodes.map((episode) => episode.siteId),
        episodes.map((episode) => episode.moduleId),
        episodes.map((episode) => episode.causeId),
        episodes.map((episode) => episode.version),
        episodes.map((episode) => episode.publishedAt),
        episodes.map((episode) => arrayLiteral(episode.fixedIn)),
        episodes.map((episode) => episode.openedAt),
        episodes.map((episode) => episode.state),
        episodes.map((episode) => episode.unknownSince),
        episodes.map((episode) => episode.closedAt),
        episodes.map((episode) => episode.closedAfter),
        episodes.map((episode) => episode.reason),
        episodes.map((episode) => episode.closedVersion),
        now,
      ],
    );
    return rows.map((row) => Number(row.exposure_id));
  }

  private async close(tx: EntityManager, closings: Reconciliation['close'], now: Date): Promise<void> {
    if (closings.length === 0) return;
    await tx.query(
      `UPDATE exposures e
       SET state = 'closed', unknown_since = row.unknown_since, closed_at = row.closed_at, closed_after = row.closed_after,
           reason = row.reason, closed_version = row.closed_version, closed_recorded_at = $7
       FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[])
            AS row(exposure_id, unknown_since, closed_at, closed_after, reason, closed_version)
       WHERE e.exposure_id = row.exposure_id`,
      [
        closings.map(({ exposureId }) => exposureId),
        closings.map(({ to }) => to.unknownSince),
        closings.map(({ to }) => to.closedAt),
        closings.map(({ to }) => to.closedAfter),
        closings.map(({ to }) => to.reason),
        closings.map(({ to }) => to.closedVersion),
        now,
      ],
    );
  }

  private async update(tx: EntityManager, updates: Reconciliation['update']): Promise<void> {
    if (updates.length === 0) return;
    await tx.query(
      `UPDATE exposures e
       SET state = row.state, unknown_since = row.unknown_since, closed_after = row.closed_after,
           published_at = row.published_at, fixed_in = row.fixed_in::text[]
       FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::text[])
            AS row(exposure_id, state, unknown_since, closed_after, published_at, fixed_in)
       WHERE e.exposure_id = row.exposure_id`,
      [
        updates.map(({ exposureId }) => exposureId),
        updates.map(({ to }) => to.state),
        updates.map(({ to }) => to.unknownSince),
        updates.map(({ to }) => to.closedAfter),
        updates.map(({ to }) => to.publishedAt),
        updates.map(({ to }) => arrayLiteral(to.fixedIn)),
      ],
    );
  }

  /** A retracted row keeps what it said; an open one ends with its retraction. */
  private async retract(tx: EntityManager, retracted: Reconciliation['retract'], now: Date): Promise<void> {
    if (retracted.length === 0) return;
    await tx.query(
      `UPDATE exposures e
       SET retracted_at = $2::timestamptz, retracted_reason = e.reason, reason = 'retracted', state = 'closed',
           closed_at = coalesce(e.closed_at, greatest($2::timestamptz, e.opened_at)),
           closed_recorded_at = coalesce(e.closed_recorded_at, $2::timestamptz)
       WHERE e.exposure_id = ANY ($1::bigint[])`,
      [retracted.map(({ exposureId }) => exposureId), now],
    );
  }
}

const RECORDED_COLUMNS = `e.exposure_id, e.site_id, e.module_id, e.cause_id, e.opened_at, e.published_at, e.installed_version, e.fixed_in,
  e.state, e.unknown_since, e.closed_at, e.closed_after, e.reason, e.closed_version`;

function parameters({ siteIds, moduleIds, causeIds }: AssessedPairs): unknown[] {
  return [numbers(siteIds), numbers(moduleIds), causeIds && numbers(causeIds)];
}

function episodeOf(row: EpisodeRow) {
  return {
    siteId: row.site_id,
    moduleId: row.module_id,
    causeId: row.cause_id,
    openedAt: row.opened_at,
    publishedAt: row.published_at,
    version: row.installed_version,
    fixedIn: row.fixed_in,
    state: row.state,
    unknownSince: row.unknown_since,
    closedAt: row.closed_at,
    closedAfter: row.closed_after,
    reason: row.reason,
    closedVersion: row.closed_version,
  };
}

/** A text[] as text: unnest() would flatten an array of arrays. */
function arrayLiteral(items: readonly string[] | null): string | null {
  if (!items) return null;
  return `{${items.map((item) => `"${item.replace(/(["\\])/g, '\\$1')}"`).join(',')}}`;
}
