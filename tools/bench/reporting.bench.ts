// Measures reporting with a fleet of 5,000 sites of 120 modules: how soon the lists (sites, modules, advisories, exposures) and the overview
// answer, and how long one advisory, one release of a module that every site runs, or all versions of core judged anew take until all
// exposures stand. Beside each: the same by a plain join, as one
// would write it without read models. Exits with 1 when p95 of an answer reaches 100 ms or an assessment takes 2 s.
import { performance } from 'node:perf_hooks';
import type { Scope } from '#libs/contracts';
import { advisory, inventory, change, organization, releases, site } from '../../apps/reporting/test/facts.js';
import { ReportingBox } from '../../apps/reporting/test/reporting-box.js';

const SITES = Number(process.env['PATCHWATCH_BENCH_SITES'] ?? 5_000);
const MODULES = 120;
const ASKED = Number(process.env['PATCHWATCH_BENCH_ASKED'] ?? 100);
/** Promised for lists and the overview. */
const ANSWER_TARGET_MS = 100;
const ASSESSMENT_TARGET_MS = 2_000;
/** Modules with an advisory that half of the sites have patched. */
const UNSAFE_MODULES = 30;
/** Advisories on modules that no site runs, as Drupal.org has them. */
const OTHER_ADVISORIES = 2_500;
const EVERYTHING: Scope = { organization_ids: null };

const names = Array.from({ length: MODULES }, (_, index) => (index === 0 ? 'drupal' : `module_${index}`));
const versionsOf = (index: number): string[] =>
  Array.from({ length: 20 }, (_, patch) => (index === 0 ? `10.3.${patch}` : `8.x-1.${patch}`));

interface Result {
  readonly what: string;
  readonly p50: number;
  readonly p95: number;
  readonly target: number;
}
const results: Result[] = [];

const box = await ReportingBox.open();
try {
  box.clock.set('2026-10-01T00:00:00Z');
  await load();
  await measureInventories();
  await measureCore();
  await measureAssessments();
  await measureAnswers();
} finally {
  await box.close();
}
const missed = results.filter(({ p95, target }) => p95 >= target);
for (const { what, p95, target } of missed) console.log(`MISSED: ${what}: ${p95.toFixed(0)} ms, target ${target} ms`);
process.exitCode = missed.length === 0 ? 0 : 1;

/** The fleet as rows, because 5,000 pushes are not what is measured here; everything derived comes from the services. */
async function load(): Promise<void> {
  const started = performance.now();
  await box.register(...Array.from({ length: 50 }, (_, index) => organization(index + 1)));
  for (let id = 1; id <= SITES; id += 500) {
    const ids = Array.from({ length: Math.min(500, SITES - id + 1) }, (_, index) => id + index);
    await box.register(...ids.map((one) => site(one, { organization_id: (one % 50) + 1 })));
  }
  for (const [index, name] of names.entries()) {
    const versions = versionsOf(index).reverse();
    await box.tell(
      releases(
        name,
        index === 0 ? '10.3.' : '8.x-1.',
        versions.map((version, place) => ({
          version,
          date: `2025-${String(12 - Math.floor(place / 2)).padStart(2, '0')}-15`,
        })),
      ),
    );
  }
  // One site through the front door, so that modules and versions are known; then the others beside it.
  for (const version of versionsOf(0).keys()) {
    const changes = names.map((name, index) => change(name, versionsOf(index)[version]!));
    await box.push(inventory(1, version + 1, `2024-01-${String(version + 1).padStart(2, '0')}T00:00:00Z`, changes));
  }
  await box.query(`
    WITH numbered AS (
      SELECT v.*, (row_number() OVER (PARTITION BY v.module_id ORDER BY v.version_id))::int AS place FROM version_statuses v
    ), fleet AS (
      SELECT s.site_id, s.organization_id, m.module_id, generation.epoch,
             CASE generation.epoch WHEN 1 THEN 1 + (s.site_id + m.module_id) % 8 ELSE 9 + (s.site_id * 7 + m.module_id) % 12 END AS place
      FROM sites s CROSS JOIN modules m CROSS JOIN (VALUES (1), (2)) AS generation(epoch)
      WHERE s.site_id > 1 AND (generation.epoch = 1 OR (s.site_id + m.module_id) % 3 > 0)
    )
    INSERT INTO site_facts (site_id, module_id, epoch, sequence, organization_id, version_id, state, type, observed_at, previous_observed_at)
    SELECT f.site_id, f.module_id, f.epoch, 1, f.organization_id, n.version_id, 'enabled', 'module',
           CASE f.epoch WHEN 1 THEN timestamptz '2025-01-01' ELSE timestamptz '2026-07-01' + f.site_id % 60 * interval '1 day' END, NULL
    FROM fleet f JOIN numbered n ON n.module_id = f.module_id AND n.place = f.place`);
  await box.query(`
    INSERT INTO site_modules (site_id, module_id, epoch, sequence, organization_id, version_id, state, type, valid_from, valid_to,
                              previous_observed_at, current, standing)
    SELECT f.site_id, f.module_id, f.epoch, f.sequence, f.organization_id, f.version_id, f.state, f.type, f.observed_at,
           lead(f.observed_at) OVER following, f.previous_observed_at, lead(f.sequence) OVER following IS NULL,
           CASE WHEN lead(f.sequence) OVER following IS NULL THEN v.standing END
    FROM site_facts f JOIN version_statuses v USING (version_id) WHERE f.site_id > 1
    WINDOW following AS (PARTITION BY f.site_id, f.module_id ORDER BY f.epoch, f.sequence)`);
  await box.query(`
    INSERT INTO site_summaries (site_id, organization_id, epoch, sequence, core_version, complete, first_observed_at, observed_at, heard_at,
                                inventories, modules, updates, security_updates, unknown)
    SELECT s.site_id, s.organization_id, 2, 1, '10.3.9', true, '2025-01-01', '2026-09-30', '2026-09-30', 2, count(*),
           count(*) FILTER (WHERE i.standing = 'update'), 0, count(*) FILTER (WHERE i.standing = 'unknown')
    FROM sites s JOIN site_modules i USING (site_id) WHERE i.current AND s.site_id > 1
    GROUP BY s.site_id
    ON CONFLICT (site_id) DO UPDATE SET modules = excluded.modules, updates = excluded.updates, unknown = excluded.unknown,
      heard_at = excluded.heard_at, observed_at = excluded.observed_at, epoch = 2`);
  await box.query('ANALYZE');
  for (let index = 1; index <= UNSAFE_MODULES; index++) {
    const published = `2026-${String(1 + (index % 9)).padStart(2, '0')}-10T17:00:00Z`;
    await box.tell(
      advisory(
        `SA-CONTRIB-2026-${String(index).padStart(3, '0')}`,
        `module_${index}`,
        `<1.${9 + (index % 4)}`,
        published,
      ),
    );
  }
  await box.tell(
    ...Array.from({ length: OTHER_ADVISORIES }, (_, index) =>
      advisory(`SA-CONTRIB-2020-${index}`, `other_${index % 1_000}`, '<2.0', `2020-0${1 + (index % 9)}-10T17:00:00Z`),
    ),
  );
  await box.query('ANALYZE');
  const [counts] = await box.query<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM sites) AS sites, (SELECT count(*)::int FROM site_modules WHERE current) AS installed,
            (SELECT count(*)::int FROM site_modules) AS intervals,
            (SELECT count(*)::int FROM exposures WHERE state = 'open') AS open, (SELECT count(*)::int FROM exposures) AS exposures`,
  );
  console.log(`loaded ${JSON.stringify(counts)} in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

async function measureInventories(): Promise<void> {
  const batches = 6;
  const started = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    await box.push(
      ...Array.from({ length: 64 }, (_, index) => {
        const id = 2 + batch * 64 + index;
        const changes = [1, 2, 3, 4, 5].map((module) => change(`module_${module * 9}`, versionsOf(1)[19]!));
        return inventory(id, 2, '2026-10-01T00:00:00Z', changes, { epoch: 3, organization_id: (id % 50) + 1 });
      }),
    );
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(`inventories with 5 changes: ${((batches * 64) / seconds).toFixed(0)} a second`);
}

/** Every version of core changes its status and its mark, and every site its exposures: marked, taken back, marked again. */
async function measureCore(): Promise<void> {
  const times: number[] = [];
  const opened: number[] = [];
  for (let round = 1; round <= 3; round++) {
    const terms = round === 2 ? [] : ['Insecure'];
    const list = [
      { version: '10.3.20', date: '2026-09-28', terms: ['Security update'] },
      ...versionsOf(0)
        .reverse()
        .map((version) => ({ version, date: '2026-01-15', terms })),
    ];
    const started = performance.now();
    await box.tell(releases('drupal', '10.3.', list, { revision: 1 + round }));
    times.push(performance.now() - started);
    const [row] = await box.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM exposures e JOIN modules m USING (module_id) WHERE m.module = 'drupal' AND e.state = 'open'`,
    );
    opened.push(row!.open);
  }
  report('all versions of core judged anew for every site', times, ASSESSMENT_TARGET_MS);
  console.log(`  exposures of core that stood open after each round: ${opened.join(', ')}`);
}

async function measureAssessments(): Promise<void> {
  const revise = async (what: string, work: (revision: number) => Promise<void>): Promise<void> => {
    const times: number[] = [];
    for (let round = 1; round <= 3; round++) {
      const started = performance.now();
      await work(round);
      times.push(performance.now() - started);
    }
    report(what, times, ASSESSMENT_TARGET_MS);
  };
  const everyOne = (round: number) =>
    advisory(`SA-CORE-2026-00${round}`, 'drupal', '<10.3.19', '2026-09-30T17:00:00Z', {
      fixed: ['10.3.19'],
      risk: 'highly_critical',
    });
  await revise('an advisory opens exposures of core on nearly every site', (round) => box.tell(everyOne(round)));
  const [opened] = await box.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM exposures e JOIN advisories a ON a.advisory_id = e.cause_id WHERE a.advisory = 'SA-CORE-2026-001'`,
  );
  console.log(`  opened at once: ${opened!.open}`);
  await revise('a release marks every older one of a module insecure on every site', (round) => {
    const versions = versionsOf(50)
      .slice(0, 19 - round)
      .reverse();
    const fix = { version: `8.x-1.2${round}`, date: '2026-09-29', terms: ['Security update'] };
    const list = [fix, ...versions.map((version) => ({ version, date: '2025-06-15', terms: ['Insecure'] }))];
    return box.tell(releases(`module_${50 + round}`, '8.x-1.', list, { revision: 2 }));
  });
  const [marked] = await box.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM exposures WHERE cause_id = 0 AND state = 'open'`,
  );
  console.log(`  opened at once: ${Math.round(marked!.open / 3)}`);
  await revise('a release without security news changes the status on every site', (round) =>
    box.tell(
      releases(
        `module_${60 + round}`,
        '8.x-1.',
        ['8.x-1.99', ...versionsOf(1).reverse()].map((version) => ({ version, date: '2026-09-29' })),
        { revision: 2 },
      ),
    ),
  );
  await revise('baseline: insert the exposures of one advisory by one plain join', async (round) => {
    await box.query(
      `INSERT INTO exposures (exposure_uuid, organization_id, site_id, module_id, cause_id, installed_version, published_at, opened_at, state, recorded_at)
       SELECT gen_random_uuid(), i.organization_id, i.site_id, i.module_id, $1, v.version, now(), now(), 'open', now()
       FROM site_modules i JOIN version_statuses v USING (version_id) JOIN modules m ON m.module_id = i.module_id
       WHERE m.module = 'drupal' AND i.current`,
      [1_000_000 + round],
    );
  });
  await box.query('DELETE FROM exposures WHERE cause_id >= 1000000');
  await box.query('ANALYZE exposures');
}

async function measureAnswers(): Promise<void> {
  const page = { page: 1, per_page: 25 };
  await ask('GET /sites, worst first', () => box.sites.list({ scope: EVERYTHING, ...page }));
  await ask('GET /sites, page 100 by name', () =>
    box.sites.list({ scope: EVERYTHING, page: 100, per_page: 25, sort: 'name' }),
  );
  await ask(
    'GET /sites that run a module',
    () => box.sites.list({ scope: EVERYTHING, ...page, module: 'module_5' }),
    Infinity,
  );
  await ask('overview of everything', () => box.dashboard.overview({ scope: EVERYTHING }));
  let sequence = 100;
  const changed = (): Promise<void> => {
    const id = 2 + (sequence++ % (SITES - 1));
    const changes = [change('module_3', versionsOf(1)[sequence % 20]!)];
    return box.push(
      inventory(id, sequence, '2026-10-01T00:00:00Z', changes, { epoch: 4, organization_id: (id % 50) + 1 }),
    );
  };
  await ask(
    'overview of everything, right after a push',
    () => box.dashboard.overview({ scope: EVERYTHING }),
    ANSWER_TARGET_MS,
    ASKED,
    changed,
  );
  await ask('overview of one organization', () => box.dashboard.overview({ scope: { organization_ids: [7] } }));
  await ask(
    'overview of everything, half a year ago',
    () => box.dashboard.overview({ scope: EVERYTHING, as_of: '2026-04-01T00:00:00Z' }),
    Infinity,
    20,
  );
  await askForModules(page, changed);
  await askForAdvisories(page, changed);
  await ask('GET /exposures, open, newest first', () =>
    box.exposures.list({ scope: EVERYTHING, ...page, state: ['open'] }),
  );
  await ask(
    'baseline: the first page of sites by joins',
    () =>
      box.query(
        `SELECT s.site_uuid, s.name, count(*) AS modules, count(*) FILTER (WHERE v.standing = 'update') AS updates,
                (SELECT count(*) FROM exposures e WHERE e.site_id = s.site_id AND e.state = 'open') AS open
         FROM sites s JOIN site_modules i USING (site_id) JOIN version_statuses v USING (version_id)
         WHERE i.current GROUP BY s.site_id ORDER BY open DESC LIMIT 25`,
      ),
    Infinity,
    10,
  );
}

type Page = { readonly page: number; readonly per_page: number };

async function askForModules(page: Page, changed: () => Promise<void>): Promise<void> {
  const list = (more: object = {}) => box.moduleList.list({ scope: EVERYTHING, ...page, ...more });
  await ask('GET /modules, security updates first', () => list());
  await ask('GET /modules, right after a push', () => list(), ANSWER_TARGET_MS, ASKED, changed);
  await ask('GET /modules that are due, by title', () => list({ security_update: true, sort: 'title' }));
  await ask('GET /modules of one organization', () => list({ scope: { organization_ids: [7] } }));
  const core = { scope: EVERYTHING, module: 'drupal', ...page };
  await ask('GET /modules/drupal, sites by name', () => box.modulePages.detail(core));
  await ask('GET /modules/drupal/versions', () => box.moduleVersions.list(core));
  await ask(
    'baseline: modules with their counts by joins',
    () =>
      box.query(
        `SELECT m.module, count(*) AS sites, count(*) FILTER (WHERE i.standing = 'security') AS security
         FROM site_modules i JOIN sites s USING (site_id) JOIN modules m USING (module_id)
         WHERE i.current GROUP BY m.module ORDER BY security DESC LIMIT 25`,
      ),
    Infinity,
    10,
  );
}

async function askForAdvisories(page: Page, changed: () => Promise<void>): Promise<void> {
  const list = (more: object = {}) => box.advisories.list({ scope: EVERYTHING, ...page, ...more });
  await ask('GET /advisories, newest first', () => list());
  await ask('GET /advisories, right after a push', () => list(), ANSWER_TARGET_MS, ASKED, changed);
  await ask('GET /advisories by open sites', () => list({ sort: '-sites_open' }));
  await ask('GET /advisories of one organization', () => list({ scope: { organization_ids: [7] }, matched: true }));
  const core = { scope: EVERYTHING, advisory: 'SA-CORE-2026-001' };
  await ask('GET /advisories/{id}/sites, an advisory on every site', () =>
    box.advisoryPages.sitesOf({ ...core, ...page }),
  );
  await ask('GET /advisories/{id}, an advisory on every site', () => box.advisoryPages.detail({ ...core, sites: 25 }));
  await ask('GET /advisories/{id} of one organization', () =>
    box.advisoryPages.detail({ ...core, scope: { organization_ids: [7] }, sites: 25 }),
  );
}

async function ask(
  what: string,
  work: () => Promise<unknown>,
  target = ANSWER_TARGET_MS,
  times = ASKED,
  before: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  for (let warm = 0; warm < 3; warm++) await work();
  const taken: number[] = [];
  for (let round = 0; round < times; round++) {
    await before();
    const started = performance.now();
    await work();
    taken.push(performance.now() - started);
  }
  report(what, taken, target);
}

function report(what: string, times: number[], target: number): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  const isBaseline = what.startsWith('baseline');
  results.push({ what, p50: at(0.5), p95: at(0.95), target: isBaseline ? Infinity : target });
  console.log(
    `${what.padEnd(72)} p50 ${at(0.5).toFixed(1).padStart(8)} ms   p95 ${at(0.95).toFixed(1).padStart(8)} ms`,
  );
}
