import type { AdvisoryChanged, InventoryChanged, ModuleReleasesChanged, SiteChanged } from '#libs/contracts';
import { organization } from './facts.js';
import type { ReportingBox } from './reporting-box.js';

export type Fact = InventoryChanged | AdvisoryChanged | ModuleReleasesChanged | SiteChanged;

const TABLES = [
  ...['sites', 'modules', 'advisories', 'version_statuses', 'vulnerable_versions', 'site_inventories', 'site_facts'],
  ...['site_modules', 'exposures', 'site_summaries', 'site_contacts', 'outbox', 'advisory_revisions'],
];

/** Nothing is known but organization 1. */
export async function empty(box: ReportingBox): Promise<void> {
  // TRUNCATE makes new files each time: a hundred times slower for these few rows.
  for (const table of TABLES) await box.query(`DELETE FROM ${table}`);
  await box.register(organization());
}

/** One transaction a kind of facts. */
export async function deliverBatch(box: ReportingBox, batch: readonly Fact[]): Promise<void> {
  const pushes = batch.filter((fact): fact is InventoryChanged => 'push_id' in fact);
  const catalog = batch.filter(
    (fact): fact is AdvisoryChanged | ModuleReleasesChanged => 'advisory' in fact || 'history' in fact,
  );
  const registry = batch.filter((fact): fact is SiteChanged => 'created_at' in fact);
  if (catalog.length > 0) await box.tell(...catalog);
  if (pushes.length > 0) await box.push(...pushes);
  if (registry.length > 0) await box.register(...registry);
}

/** All that people see, without ids, times of recording and what was retracted. */
export async function standing(box: ReportingBox): Promise<unknown> {
  const exposures = await box.query(
    `SELECT e.site_id, m.module, a.advisory, e.installed_version, e.published_at, e.fixed_in, e.opened_at, e.state, e.unknown_since,
            e.closed_at, e.closed_after, e.reason, e.closed_version
     FROM exposures e JOIN modules m USING (module_id) LEFT JOIN advisories a ON a.advisory_id = e.cause_id
     WHERE e.retracted_at IS NULL ORDER BY e.site_id, m.module, a.advisory, e.opened_at`,
  );
  const intervals = await box.query(
    `SELECT i.site_id, m.module, v.version, i.valid_from, i.valid_to, i.current, i.standing
     FROM site_modules i JOIN modules m USING (module_id) LEFT JOIN version_statuses v USING (version_id)
     ORDER BY i.site_id, m.module, i.epoch, i.sequence`,
  );
  const rows = await box.query<Record<string, unknown>>(
    'SELECT * FROM site_summaries WHERE inventories > 0 ORDER BY site_id',
  );
  // How often exposures changed depends on the order, what they came to must not.
  const summaries = rows.map((row) => ({ ...row, exposure_changes: null }));
  const contacts = await box.query('SELECT * FROM site_contacts ORDER BY site_id, heard_from');
  return { exposures, intervals, summaries, contacts };
}
