/** Place of a fact in a site's history. */
export interface FactPlace {
  readonly epoch: number;
  readonly sequence: number;
}

/** The interval of a pair from which on its episodes are derived. */
export interface EpisodeAnchor extends FactPlace {
  /** As Postgres writes it: exact. */
  readonly validFrom: string;
  /** null: the module was absent. */
  readonly versionId: number | null;
}

/** Anchors by position; null: the whole history is read. */
export type EpisodeAnchors = readonly (EpisodeAnchor | null)[];

/**
 * Where the derivation of episodes may begin when all that is new of a site's module begins at one fact: the anchors of many pairs at once.
 *
 * Parameters: $1 site ids, $2 module ids, $3 and $4 epoch and sequence of the smallest new fact (by position). A row each, in order; without
 * an anchor all of it is null, and the whole history has to be read.
 *
 * Let P be the interval before the first new fact. New facts change the end of P and what comes after it, nothing before. The anchor is an
 * interval before P that has extent: its end is the start of P at the latest, so it had the same extent before the new facts came. Every
 * cause either knows what to say of the anchor or has no episode standing there. Then, cause by cause:
 *
 * - What was closed when the anchor began was closed by intervals up to the anchor, and stays as it is.
 * - If the anchor is safe (or the module absent, or the version not yet unsafe when it went), nothing stands there, and what opens later opens
 *   by later intervals alone.
 * - If it is unsafe, one episode stands there. How that one opened follows from intervals up to the anchor: so it is as recorded. How it
 *   goes on follows from the anchor and what comes after.
 * - If nobody can judge it and nothing stands there, it neither opens nor closes anything.
 *
 * So episodes closed at or before the start of the anchor are left alone, and all others follow from the intervals from the anchor on, but
 * that the opening of the one that stands at the anchor is taken from the record. This leans on the record being right before the new facts,
 * which every change of verdicts and sites sees to under the same locks; \`patchwatch rebuild\` leans on nothing.
 *
 * As a rule it is the interval before P. Only intervals without extent, and unsafe versions followed by many that nobody can judge, lead further.
 * The episode at an instant is the last one that opened by then: one look into the index.
 */
export const ANCHORS_SQL = `
  SELECT anchor.epoch, anchor.sequence, anchor.valid_from::text AS valid_from, anchor.version_id
  FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
       AS pair(site_id, module_id, epoch, sequence, position)
  LEFT JOIN LATERAL (
    SELECT m.epoch, m.sequence FROM site_modules m
    WHERE m.site_id = pair.site_id AND m.module_id = pair.module_id AND (m.epoch, m.sequence) < (pair.epoch, pair.sequence)
    ORDER BY m.epoch DESC, m.sequence DESC LIMIT 1
  ) predecessor ON true
  LEFT JOIN LATERAL (
    SELECT m.epoch, m.sequence, m.valid_from, m.version_id FROM site_modules m
    WHERE m.site_id = pair.site_id AND m.module_id = pair.module_id
      AND (m.epoch, m.sequence) < (predecessor.epoch, predecessor.sequence) AND m.valid_to > m.valid_from
      AND NOT EXISTS (
        SELECT FROM vulnerable_versions v
        CROSS JOIN LATERAL (
          SELECT e.closed_at FROM exposures e
          WHERE e.site_id = m.site_id AND e.module_id = m.module_id AND e.cause_id = v.cause_id AND e.retracted_at IS NULL
            AND e.opened_at <= m.valid_from
          ORDER BY e.opened_at DESC LIMIT 1
        ) last_opened
        WHERE v.version_id = m.version_id AND v.verdict = 'unknown'
          AND (last_opened.closed_at IS NULL OR last_opened.closed_at > m.valid_from))
    ORDER BY m.epoch DESC, m.sequence DESC LIMIT 1
  ) anchor ON true
  ORDER BY pair.position
`;
