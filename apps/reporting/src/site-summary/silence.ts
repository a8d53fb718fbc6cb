/** After how many hours without a word a site counts as silent. Sites push by cron, most at least daily. */
export const SILENT_AFTER_HOURS = 48;

/**
 * SQL for when the site `alias` of `site_summaries` was last heard from. History that was loaded (epoch 0) is no word of the
 * site: what counts there is up to when it tells.
 */
export const lastContactSql = (alias: string): string =>
  `CASE WHEN ${alias}.epoch = 0 THEN ${alias}.observed_at ELSE ${alias}.heard_at END`;

/** SQL for `waiting`, `silent` or `reporting` at the instant `now`. */
export const reportingSql = (alias: string, now: Date): string =>
  `CASE WHEN ${lastContactSql(alias)} IS NULL THEN 'waiting'
        WHEN ${lastContactSql(alias)} < '${now.toISOString()}'::timestamptz - interval '${SILENT_AFTER_HOURS} hours' THEN 'silent'
        ELSE 'reporting' END`;
