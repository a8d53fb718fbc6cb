import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type {
  AdvisoryChanged,
  InventoryChanged,
  ModuleReleasesChanged,
  OrganizationChanged,
  SiteChanged,
} from '#libs/contracts';
import { TableOutbox } from '#libs/outbox';
import { AssessmentLockRepository } from '../src/assessment-lock/assessment-lock.repository.js';
import { AssessmentLockService } from '../src/assessment-lock/assessment-lock.service.js';
import { ExposureAnnouncementRepository } from '../src/exposure/exposure-announcement.repository.js';
import { ExposureRepository } from '../src/exposure/exposure.repository.js';
import { ReconcileExposuresService } from '../src/exposure/reconcile-exposures.service.js';
import { ModuleStandingRepository } from '../src/site-summary/module-standing.repository.js';
import { SiteContactRepository } from '../src/site-summary/site-contact.repository.js';
import { SiteSummaryRepository } from '../src/site-summary/site-summary.repository.js';
import { SummarizeSitesService } from '../src/site-summary/summarize-sites.service.js';
import { ForgetModelsRepository } from '../src/rebuild/forget-models.repository.js';
import { ModelSnapshotRepository } from '../src/rebuild/model-snapshot.repository.js';
import { RebuildModelsService, type RebuildReport } from '../src/rebuild/rebuild-models.service.js';
import { RebuildModulesService } from '../src/rebuild/rebuild-modules.service.js';
import { RebuildRegistryService } from '../src/rebuild/rebuild-registry.service.js';
import { RebuildSiteService } from '../src/rebuild/rebuild-site.service.js';
import { partsOf } from '../src/rebuild/telling.js';
import { advisory, change, inventory, organization, releases, site } from './facts.js';
import { ReportingBox } from './reporting-box.js';

const TELLERS = ['gateway', 'catalog', 'ingest'];
const REGISTRY: (OrganizationChanged | SiteChanged)[] = [organization(1), site(1), site(2, { environment: 'stage' })];
const CATALOG: (ModuleReleasesChanged | AdvisoryChanged)[] = [
  advisory('SA-CONTRIB-2026-001', 'token', '<1.14', '2026-02-01'),
  advisory('SA-CONTRIB-2026-002', 'views_bulk', '<2.1', '2026-03-01', { risk: 'highly_critical' }),
  releases('token', '8.x-1.', [
    { version: '8.x-1.14', date: '2026-02-01', terms: ['Security update'] },
    { version: '8.x-1.13', date: '2025-01-01', terms: ['Insecure'] },
  ]),
  releases('drupal', '10.3.', [{ version: '10.3.1', date: '2025-12-01' }]),
  releases('views_bulk', '2.0.,2.1.', [
    { version: '2.1.0', date: '2026-03-01', terms: ['Security update'] },
    { version: '2.0.0', date: '2025-01-01' },
  ]),
];
const HISTORY: InventoryChanged[] = [
  inventory(
    1,
    1,
    '2026-01-01',
    [change('token', '8.x-1.13'), change('views_bulk', '2.0.0'), change('drupal', '10.3.1')],
    { core_version: '10.3.1' },
  ),
  inventory(1, 2, '2026-02-10', [change('token', '8.x-1.14')], { previous_observed_at: '2026-02-09T00:00:00.000Z' }),
  inventory(1, 5, '2026-03-10', [change('views_bulk', 'gone')], {
    previous_observed_at: '2026-03-09T00:00:00.000Z',
    php_version: '8.3.1',
  }),
  inventory(2, 1, '2026-01-15', [change('token', '8.x-1.13')]),
];

describe('the read models, rebuilt', () => {
  let box: ReportingBox;
  let rebuild: (lines: string[], options?: { dryRun?: boolean; onTheWay?: boolean }) => Promise<RebuildReport>;

  beforeAll(async () => {
    box = await ReportingBox.open();
    const [forget, snapshots] = [new ForgetModelsRepository(), new ModelSnapshotRepository()];
    const locks = new AssessmentLockService(new AssessmentLockRepository());
    const summaries = new SummarizeSitesService(
      new SiteSummaryRepository(),
      new ModuleStandingRepository(),
      new SiteContactRepository(),
    );
    const exposures = new ReconcileExposuresService(
      new ExposureRepository(),
      new ExposureAnnouncementRepository(),
      new TableOutbox(box.clock),
      box.clock,
    );
    const service = new RebuildModelsService(
      box.unitOfWork,
      new RebuildRegistryService(forget, snapshots, box.registry),
      new RebuildModulesService(locks, forget, snapshots, box.modules),
      new RebuildSiteService(forget, snapshots, box.inventories, exposures, summaries),
      snapshots,
    );
    rebuild = (lines, options = {}) =>
      service.rebuild(
        partsOf(
          (async function* () {
            yield* lines;
          })(),
          TELLERS,
        ),
        { dryRun: false, onTheWay: false, ...options },
      );
  });
  afterAll(() => box?.close());

  beforeEach(async () => {
    const tables = await box.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'reporting' AND tablename <> 'migrations'`,
    );
    await box.query(`TRUNCATE ${tables.map(({ name }) => name).join(', ')} RESTART IDENTITY`);
    await box.register(...REGISTRY);
    await box.tell(...CATALOG);
    for (const fact of HISTORY) await box.push(fact);
  });

  const line = (type: string, body: object, more: object = {}) => JSON.stringify({ type, version: 1, body, ...more });

  /** The lines of all tellers, as long as they are told whole. */
  function telling(history: readonly InventoryChanged[] = HISTORY, more: object = {}): string[] {
    const sites = [...new Set(history.map(({ site_id }) => site_id))];
    return [
      ...REGISTRY.map((fact) =>
        line('site_id' in fact ? 'gateway.site-changed' : 'gateway.organization-changed', fact),
      ),
      JSON.stringify({ end: 'gateway', facts: REGISTRY.length }),
      ...CATALOG.map((fact) =>
        line('advisory' in fact ? 'catalog.advisory-changed' : 'catalog.module-releases-changed', fact),
      ),
      JSON.stringify({ end: 'catalog', facts: CATALOG.length }),
      ...sites.flatMap((id) => {
        const own = history.filter(({ site_id }) => site_id === id);
        const last = own.at(-1)!;
        const heard = {
          site_id: id,
          organization_id: 1,
          heard_at: last.received_at,
          observed_at: last.observed_at,
          complete: true,
        };
        return [
          ...own.map((fact) => line('ingest.inventory-changed', fact, more)),
          line('ingest.sites-heard', { sites: [heard] }),
        ];
      }),
      JSON.stringify({ end: 'ingest', facts: history.length }),
    ];
  }

  /** Everything people can be shown, and the identity of exposures, word for word. */
  async function models(): Promise<Record<string, unknown[]>> {
    const found: Record<string, unknown[]> = {};
    for (const table of [
      'organizations',
      'sites',
      'modules',
      'advisories',
      'version_statuses',
      'vulnerable_versions',
      'site_inventories',
      'site_facts',
      'site_modules',
      'site_contacts',
    ])
      found[table] = await box.query(`SELECT to_jsonb(t) AS row FROM ${table} t ORDER BY to_jsonb(t)::text`);
    found['site_summaries'] = await box.query(
      `SELECT to_jsonb(s) - 'exposure_changes' AS row FROM site_summaries s ORDER BY site_id`,
    );
    found['exposures'] = await box.query('SELECT * FROM exposures WHERE retracted_at IS NULL ORDER BY exposure_id');
    return found;
  }

  it('from an unspoiled state are what they were, exposures with their identity, and nobody is told anything', async () => {
    const before = await models();
    expect(before['exposures']).toHaveLength(3);
    await box.query('DELETE FROM outbox');
    const report = await rebuild(telling());
    expect(report).toMatchObject({
      unexplained: 0,
      explained: 0,
      examples: [],
      rebuilt: { registry: 3, modules: 3, sites: 2 },
    });
    expect(report.counts['exposures']).toEqual({ before: 3, after: 3 });
    expect(await models()).toEqual(before);
    expect(await box.query('SELECT 1 FROM outbox')).toEqual([]);
  });

  it('from a spoiled state are what history says, and every difference is named', async () => {
    const before = await models();
    const exposures = before['exposures'] as { exposure_id: number }[];
    await box.query(`DELETE FROM site_facts WHERE site_id = 1 AND sequence = 2`);
    await box.query(`UPDATE site_modules SET valid_to = NULL, current = true WHERE site_id = 1 AND sequence = 1`);
    await box.query(
      `INSERT INTO site_facts SELECT site_id, module_id, epoch, 4, organization_id, version_id, datestamp, state, type, observed_at, previous_observed_at FROM site_facts WHERE site_id = 1 AND sequence = 1`,
    );
    await box.query(
      `UPDATE site_summaries SET modules = 99, inventories = 7, core_version = '6.0', exposed_since = NULL`,
    );
    await box.query(`UPDATE sites SET name = 'Wrong' WHERE site_id = 2`);
    await box.query(`UPDATE vulnerable_versions SET verdict = 'unknown'`);
    await box.query(`UPDATE version_statuses SET status = 'CURRENT'`);
    await box.query(`DELETE FROM exposures WHERE exposure_id = $1`, [exposures[0]!.exposure_id]);

    const report = await rebuild(telling());
    expect(report.unexplained).toBeGreaterThan(8);
    expect(report.byTable).toMatchObject({
      sites: { different: 1 },
      site_facts: { missing: 1, surplus: 3 },
      site_summaries: { different: 2 },
      vulnerable_versions: { different: expect.any(Number) },
    });
    const text = report.examples
      .map(({ subject, table, key, kind, columns }) => `${subject} ${table} ${key} ${kind} ${columns.join()}`)
      .join('\n');
    expect(text).toContain('site 1 site_facts token at 1/2 missing');
    expect(text).toContain('name: "Wrong" → "Site 2"');

    const after = await models();
    const identity = ['exposure_id', 'exposure_uuid', 'recorded_at'];
    const plain = (rows: unknown[]) =>
      rows
        .map((row) =>
          Object.fromEntries(Object.entries(row as object).filter(([column]) => !identity.includes(column))),
        )
        .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
    expect(plain(after['exposures']!)).toEqual(plain(before['exposures']!));
    expect({ ...after, exposures: null }).toEqual({ ...before, exposures: null });
    expect(await rebuild(telling())).toMatchObject({ unexplained: 0, explained: 0 });
  });

  it('are left alone by a dry run, which finds the same differences', async () => {
    await box.query(`DELETE FROM site_facts WHERE site_id = 1 AND sequence = 2`);
    const before = await models();
    const report = await rebuild(telling(), { dryRun: true });
    expect(report.byTable['site_facts']).toMatchObject({ missing: 1 });
    expect(await models()).toEqual(before);
  });

  it('keep what came by its own event after its history was told', async () => {
    const lines = telling();
    await box.push(
      inventory(2, 2, '2026-03-20', [change('token', '8.x-1.14'), change('views_bulk', '2.0.0')], {
        previous_observed_at: '2026-03-19T00:00:00.000Z',
      }),
    );
    const before = await models();
    expect(await rebuild(lines)).toMatchObject({ unexplained: 0 });
    expect(await models()).toEqual(before);
  });

  it('that were only behind are explained when facts were on the way, and not otherwise', async () => {
    const more = [...HISTORY, inventory(2, 2, '2026-03-20', [change('token', '8.x-1.14')])];
    expect(await rebuild(telling(more), { dryRun: true, onTheWay: true })).toMatchObject({
      unexplained: 0,
      explained: expect.any(Number),
    });
    const lost = await rebuild(telling(more), { dryRun: true });
    expect(lost.unexplained).toBeGreaterThan(0);
    // A hole in the middle is not being behind.
    await box.query(`DELETE FROM site_facts WHERE site_id = 1 AND sequence = 2`);
    await box.query(`DELETE FROM site_inventories WHERE site_id = 1 AND sequence = 2`);
    expect((await rebuild(telling(), { dryRun: true, onTheWay: true })).unexplained).toBeGreaterThan(0);
  });

  it('learn nothing from what was only put together, where they know more', async () => {
    const before = await models();
    const poorer = HISTORY.map((fact) => ({
      ...fact,
      previous_observed_at: null,
      core_version: null,
      php_version: null,
    }));
    expect(await rebuild(telling(poorer, { reconstructed: true }))).toMatchObject({ unexplained: 0 });
    expect(await models()).toEqual(before);
  });

  it('name the sites that nobody told of, and leave them', async () => {
    const report = await rebuild(telling(HISTORY.filter(({ site_id }) => site_id === 1)));
    expect(report.untold).toEqual({ sites: [2], advisories: [] });
    expect(await box.query('SELECT 1 FROM site_facts WHERE site_id = 2')).toHaveLength(1);
  });

  it('stay as far as they got when a teller dies, and that is said', async () => {
    const whole = telling();
    await expect(rebuild(whole.slice(0, -1))).rejects.toThrow('ingest ended before everything was told');
    await expect(rebuild(['{"type":"ingest.inventory-changed","version":1,"body":{}}'])).rejects.toThrow(
      /does not fit its contract/,
    );
    await expect(rebuild(['half a li'])).rejects.toThrow(/no JSON/);
    expect(await rebuild(whole)).toMatchObject({ unexplained: 0 });
  });
});
