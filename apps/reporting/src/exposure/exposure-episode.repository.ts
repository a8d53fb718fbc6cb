/**
 * `exposureEpisodes` of `exposure-episode.ts` for many sites and causes at once, as gaps and islands over `site_modules`.
 *
 * Parameters: $1 site ids, $2 module ids (pairs, by position), $3 cause ids or null for all, $4 and $5 epoch and sequence of the pairs'
 * anchors (`episode-anchor.repository.ts`), from which on intervals are read; -1 and -1: from the first one on. What comes of an unsafe anchor
 * opens there (`opens_at_anchor`), whatever was before.
 * A version without a row in `vulnerable_versions` is safe, so every version in `site_modules` must have been judged before.
 */
export const EPISODES_SQL = `
  WITH pairs AS (
    SELECT * FROM unnest($1::int[], $2::int[], $4::bigint[], $5::bigint[]) AS pair(site_id, module_id, epoch, sequence)
  ), intervals AS MATERIALIZED (
    SELECT m.site_id, m.module_id, m.epoch, m.sequence, m.organization_id, m.version_id, m.valid_from,
           least(m.valid_to, s.removed_at) AS valid_to, m.previous_observed_at, s.removed_at,
           (m.epoch, m.sequence) = (p.epoch, p.sequence) AS is_anchor
    FROM pairs p
    CROSS JOIN LATERAL (
      -- OFFSET 0: each pair is looked up by the key; the planner must not read the whole table because many pairs are asked for. And
      -- under row-level security a condition that is not leakproof (coalesce) does not reach the index: hence -1 instead of null.
      SELECT * FROM site_modules i
      WHERE i.site_id = p.site_id AND i.module_id = p.module_id
        AND (i.epoch, i.sequence) >= (p.epoch, p.sequence)
      OFFSET 0
    ) m
    LEFT JOIN sites s ON s.site_id = m.site_id
    WHERE least(m.valid_to, s.removed_at) IS NULL OR least(m.valid_to, s.removed_at) > m.valid_from
  ), causes AS (
    SELECT DISTINCT i.site_id, i.module_id, v.cause_id
    FROM intervals i
    JOIN vulnerable_versions v USING (version_id)
    WHERE v.verdict = 'affected' AND (i.valid_to IS NULL OR v.unsafe_from < i.valid_to)
      AND ($3::int[] IS NULL OR v.cause_id = ANY ($3))
  ), judged AS (
    SELECT i.*, c.cause_id, v.unsafe_from, v.fixed_in,
           CASE WHEN i.version_id IS NULL THEN 'absent'
                WHEN v.verdict = 'unknown' THEN 'unknown'
                WHEN v.verdict = 'affected' AND (i.valid_to IS NULL OR v.unsafe_from < i.valid_to) THEN 'affected'
                ELSE 'safe' END AS verdict
    FROM causes c
    JOIN intervals i USING (site_id, module_id)
    LEFT JOIN vulnerable_versions v ON v.version_id = i.version_id AND v.cause_id = c.cause_id
  ), followed AS (
    SELECT j.*,
           lead(j.verdict) OVER following AS next_verdict,
           lead(j.valid_from) OVER following AS next_from,
           lead(j.previous_observed_at) OVER following AS next_previous_observed_at
    FROM judged j
    WINDOW following AS (PARTITION BY j.site_id, j.module_id, j.cause_id ORDER BY j.epoch, j.sequence)
  ), known AS (
    SELECT f.*,
           lag(f.verdict) OVER following AS previous_known,
           lead(f.verdict) OVER following AS next_known,
           lead(f.valid_from) OVER following AS next_known_from,
           lead(f.version_id) OVER following AS next_known_version_id
    FROM followed f
    WHERE f.verdict <> 'unknown'
    WINDOW following AS (PARTITION BY f.site_id, f.module_id, f.cause_id ORDER BY f.epoch, f.sequence)
  ), unsafe AS (
    SELECT k.*,
           count(*) FILTER (WHERE k.previous_known IS DISTINCT FROM 'affected' OR k.unsafe_from > k.valid_from)
             OVER (PARTITION BY k.site_id, k.module_id, k.cause_id ORDER BY k.epoch, k.sequence) AS episode
    FROM known k
    WHERE k.verdict = 'affected'
  ), ending AS (
    -- The last unsafe interval of each episode, with what the first one said. No join of the two: the planner takes both for one row.
    SELECT u.*,
           first_value(greatest(u.valid_from, u.unsafe_from)) OVER run AS opened_at,
           first_value(u.unsafe_from) OVER run AS published_at,
           first_value(u.version_id) OVER run AS opening_version_id,
           first_value(u.fixed_in) OVER run AS opening_fixed_in,
           first_value(u.is_anchor) OVER run AS opens_at_anchor,
           lead(u.sequence) OVER run IS NULL AS is_last
    FROM unsafe u
    WINDOW run AS (PARTITION BY u.site_id, u.module_id, u.cause_id, u.episode ORDER BY u.epoch, u.sequence)
  )
  SELECT e.site_id, e.module_id, e.cause_id, e.organization_id, e.opened_at, e.published_at,
         opening_version.version AS installed_version,
         e.opening_fixed_in AS fixed_in, e.opens_at_anchor,
         CASE WHEN e.next_known IS NOT NULL OR e.removed_at IS NOT NULL THEN 'closed'
              WHEN e.next_verdict = 'unknown' THEN 'unknown'
              ELSE 'open' END AS state,
         CASE WHEN e.next_verdict = 'unknown' THEN e.next_from END AS unknown_since,
         coalesce(e.next_known_from, e.removed_at) AS closed_at,
         CASE WHEN e.next_known IS NOT NULL OR e.removed_at IS NOT NULL THEN e.next_previous_observed_at END AS closed_after,
         CASE WHEN e.next_known = 'absent' THEN 'removed'
              WHEN e.next_known IS NOT NULL THEN 'patched'
              WHEN e.removed_at IS NOT NULL THEN 'site_removed' END AS reason,
         closing_version.version AS closed_version
  FROM ending e
  JOIN version_statuses opening_version ON opening_version.version_id = e.opening_version_id
  LEFT JOIN version_statuses closing_version ON closing_version.version_id = e.next_known_version_id
  WHERE e.is_last
`;
