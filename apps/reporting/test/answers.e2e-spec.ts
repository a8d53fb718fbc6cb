import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  dashboardOverview,
  listExposures,
  listSites,
  moduleDetail,
  patchProgress,
  problemsOf,
  siteModules,
} from '#libs/contracts';
import { advisory, change, inventory, organization, releases, site, uuidOf } from './facts.js';
import { ReportingBox } from './reporting-box.js';

const EVERYTHING = { organization_ids: null };
const MINE = { organization_ids: [1] };
const THEIRS = { organization_ids: [2] };
const PAGE = { page: 1, per_page: 25 };

/** Sites 1 and 2 belong to organization 1, site 3 to organization 2. Today is 2026-06-01. */
describe('the answers of reporting', () => {
  let box: ReportingBox;

  beforeAll(async () => {
    box = await ReportingBox.open();
    box.clock.set('2026-06-01T00:00:00Z');
    await box.register(organization(1), organization(2), site(1), site(2, { name: '100% café', environment: 'stage' }));
    await box.register(
      site(3, { organization_id: 2 }),
      site(4, { name: 'Never heard of', created_at: '2026-05-25T00:00:00Z' }),
    );
    await box.tell(
      releases('token', '8.x-1.', [
        { version: '8.x-1.6', date: '2026-05-20', terms: ['Security update'] },
        { version: '8.x-1.5', date: '2024-01-01', terms: ['Insecure'] },
      ]),
      releases('views', '2.0.', [
        { version: '2.0.3', date: '2026-05-02', terms: ['Security update'] },
        { version: '2.0.2', date: '2026-01-02', terms: ['Insecure'] },
      ]),
      releases('pathauto', '8.x-1.', [
        { version: '8.x-1.9', date: '2026-04-01' },
        { version: '8.x-1.8', date: '2025-01-01' },
      ]),
      advisory('SA-CONTRIB-2026-010', 'token', '<1.6', '2026-05-20', { fixed: ['8.x-1.6'], risk: 'highly_critical' }),
      advisory('SA-CONTRIB-2026-011', 'token', '<1.6', '2026-05-20', { fixed: ['8.x-1.6'], risk: 'less_critical' }),
      advisory('SA-CONTRIB-2025-099', 'token', '<1.4', '2025-02-01', { revision: 2, state: 'retracted' }),
    );
    const all = ['token 8.x-1.5', 'pathauto 8.x-1.8', 'views 2.0.2', 'custom 1.0.0'].map((words) => {
      const [module, version] = words.split(' ') as [string, string];
      return change(module, version);
    });
    await box.push(
      inventory(1, 1, '2026-05-01T00:00:00Z', all),
      inventory(2, 1, '2026-05-01T00:00:00Z', [change('token', '8.x-1.5'), change('pathauto', '8.x-1.9')]),
      inventory(3, 1, '2026-05-01T00:00:00Z', [change('token', '8.x-1.5')], { organization_id: 2 }),
    );
    // Site 2 goes to a snapshot and later to the fix; site 1 is heard from today, site 3 never again.
    await box.push(
      inventory(2, 2, '2026-05-22T00:00:00Z', [change('token', '8.x-1.x-dev')], {
        previous_observed_at: '2026-05-21T00:00:00Z',
      }),
      inventory(2, 3, '2026-05-24T00:00:00Z', [change('token', '8.x-1.6')], {
        previous_observed_at: '2026-05-23T00:00:00Z',
      }),
    );
    const heard = (siteId: number, at: string) => ({
      ...{ site_id: siteId, organization_id: 1, heard_at: at, observed_at: at, complete: true },
    });
    await box.run((tx) =>
      box.inventories.store(tx, [], [heard(1, '2026-05-31T12:00:00.000Z'), heard(1, '2026-05-02T12:00:00.000Z')]),
    );
  }, 60_000);

  afterAll(() => box?.close());

  it('fit their contracts', async () => {
    const answers = [
      [listSites, await box.sites.list({ scope: EVERYTHING, ...PAGE })],
      [siteModules, await box.sites.modulesOf({ scope: EVERYTHING, site: uuidOf('site', 1), ...PAGE })],
      [moduleDetail, await box.modulePages.detail({ scope: EVERYTHING, module: 'token', ...PAGE })],
      [listExposures, await box.exposures.list({ scope: EVERYTHING, ...PAGE })],
      [dashboardOverview, await box.dashboard.overview({ scope: EVERYTHING })],
      [dashboardOverview, await box.dashboard.overview({ scope: EVERYTHING, as_of: '2026-05-21T00:00:00Z' })],
      [
        patchProgress,
        await box.progress.ofPatches({
          scope: EVERYTHING,
          published_from: '2026-05-20T00:00:00Z',
          published_before: '2026-05-21T00:00:00Z',
        }),
      ],
    ] as const;
    for (const [definition, answer] of answers)
      expect([definition.method, ...problemsOf(definition.output)(answer)]).toEqual([definition.method]);
  });

  it('show every tenant its own sites only, whatever is asked', async () => {
    const names = async (scope: typeof MINE) =>
      (await box.sites.list({ scope, ...PAGE, sort: 'name' })).items.map(({ name }) => name);
    expect(await names(MINE)).toEqual(['100% café', 'Never heard of', 'Site 1']);
    expect(await names(THEIRS)).toEqual(['Site 3']);
    expect(await box.sites.modulesOf({ scope: THEIRS, site: uuidOf('site', 1), ...PAGE })).toBeNull();
    expect((await box.exposures.list({ scope: THEIRS, ...PAGE })).items.map(({ site_name }) => site_name)).toEqual([
      'Site 3',
      'Site 3',
    ]);
    const token = await box.modulePages.detail({ scope: THEIRS, module: 'token', ...PAGE });
    expect(token!.sites.map(({ name }) => name)).toEqual(['Site 3']);
    expect(token!.versions).toMatchObject([{ version: '8.x-1.5', sites: 1 }]);
    expect(await box.modulePages.detail({ scope: THEIRS, module: 'custom', ...PAGE })).toBeNull();
    expect((await box.dashboard.overview({ scope: THEIRS })).exposures.open).toBe(2);
    expect((await box.dashboard.overview({ scope: { organization_ids: [] } })).sites.total).toBe(0);
    expect((await box.sites.list({ scope: { organization_ids: null, site_id: 3 }, ...PAGE })).meta.total).toBe(1);
    const progress = { published_from: '2026-05-20T00:00:00Z', published_before: '2026-05-21T00:00:00Z' };
    expect(await box.progress.ofPatches({ scope: MINE, ...progress })).toMatchObject({
      sites_watched: 2,
      sites_exposed: 2,
      sites_patched: 1,
      sites_still_open: 1,
    });
    // Site 3 had been silent for long when the advisories appeared: nobody knows how it stood.
    expect(await box.progress.ofPatches({ scope: THEIRS, ...progress })).toMatchObject({ sites_watched: 0 });
  });

  it('list sites with their counts, worst first, those never heard of last', async () => {
    const { items } = await box.sites.list({ scope: MINE, ...PAGE });
    expect(
      items.map(({ name, modules, updates, security_updates, unknown, open_exposures, worst_risk, reporting }) => ({
        ...{ name, modules, updates, security_updates, unknown, open_exposures, worst_risk, reporting },
      })),
    ).toEqual([
      {
        ...{ name: 'Site 1', modules: 4, updates: 3, security_updates: 2, unknown: 1 },
        ...{ open_exposures: 3, worst_risk: 'highly_critical', reporting: 'reporting' },
      },
      {
        ...{ name: 'Never heard of', modules: 0, updates: 0, security_updates: 0, unknown: 0 },
        ...{ open_exposures: 0, worst_risk: null, reporting: 'waiting' },
      },
      {
        ...{ name: '100% café', modules: 2, updates: 0, security_updates: 0, unknown: 0 },
        ...{ open_exposures: 0, worst_risk: null, reporting: 'silent' },
      },
    ]);
  });

  it('find sites by words taken literally, by module, environment, exposure and contact', async () => {
    const found = async (filter: object) =>
      (await box.sites.list({ scope: EVERYTHING, ...PAGE, sort: 'name', ...filter })).items.map(({ name }) => name);
    expect(await found({ q: '0% CA' })).toEqual(['100% café']);
    expect(await found({ q: '_ite' })).toEqual([]);
    expect(await found({ module: 'views' })).toEqual(['Site 1']);
    expect(await found({ environment: ['stage'] })).toEqual(['100% café']);
    expect(await found({ exposed: true })).toEqual(['Site 1', 'Site 3']);
    expect(await found({ exposed: false, reporting: ['waiting'] })).toEqual(['Never heard of']);
    expect(await found({ page: 2, per_page: 3 })).toEqual(['Site 3']);
  });

  it('show which sites are held, and believe no silence about it', async () => {
    const held = {
      ...{ since: '2026-05-30T00:00:00.000Z', reason: 'url_changed' as const, note: null },
      ...{ reported_url: 'https://clone.example', reported_environment: null },
    };
    const shown = async () => (await box.sites.list({ scope: MINE, ...PAGE, quarantined: true })).items;
    const counted = async (scope = MINE) => (await box.dashboard.overview({ scope })).sites.quarantined;
    expect([await shown(), await counted()]).toEqual([[], 0]);
    await box.register(site(1, { revision: 2, quarantine: held }));
    expect(await shown()).toMatchObject([{ name: 'Site 1', quarantine: held }]);
    // A gateway of before changes the site: it knows nothing of quarantines, and ends none.
    await box.register(site(1, { revision: 3, name: 'Site 1, renamed' }));
    expect(await shown()).toMatchObject([{ name: 'Site 1, renamed', quarantine: held }]);
    expect([await counted(), await counted(THEIRS)]).toEqual([1, 0]);
    const others = await box.sites.list({ scope: MINE, ...PAGE, quarantined: false });
    expect(others.items.map(({ quarantine }) => quarantine)).toEqual([null, null]);
    expect((await box.dashboard.overview({ scope: MINE, as_of: '2026-05-21T00:00:00Z' })).sites.quarantined).toBeNull();
    await box.register(site(1, { revision: 4, quarantine: null }));
    expect([await shown(), await counted()]).toEqual([[], 0]);
  });

  it('list the modules of a site in groups, security first', async () => {
    const answer = await box.sites.modulesOf({ scope: MINE, site: uuidOf('site', 1), ...PAGE });
    expect(
      answer!.items.map(({ module, group, available_since, days_available }) => [
        module,
        group,
        available_since?.slice(0, 10),
        days_available,
      ]),
    ).toEqual([
      ['token', 'security', '2026-05-20', 12],
      ['views', 'security', '2026-05-02', 30],
      ['pathauto', 'update', '2026-04-01', 61],
      ['custom', 'unknown', undefined, null],
    ]);
    const updates = await box.sites.modulesOf({ scope: MINE, site: uuidOf('site', 1), ...PAGE, group: ['update'] });
    expect(updates!.meta.total).toBe(1);
  });

  it('name an insecure release without an advisory, since the security release that fixes it', async () => {
    const { items } = await box.exposures.list({ scope: MINE, ...PAGE, module: ['views'] });
    expect(items).toMatchObject([
      {
        ...{ advisory: null, risk: null, fixed_in: ['2.0.3'], published_at: '2026-05-02T00:00:00.000Z' },
        ...{ opened_at: '2026-05-02T00:00:00.000Z', state: 'open', days: 30 },
      },
    ]);
  });

  it('page exposures by key without losing or repeating one, also where times are equal', async () => {
    for (const sort of ['-opened_at', 'opened_at', '-published_at']) {
      const whole = (await box.exposures.list({ scope: EVERYTHING, page: 1, per_page: 100, sort })).items.map(
        ({ id }) => id,
      );
      const pages: string[] = [];
      let after: string | undefined;
      do {
        const page = await box.exposures.list({
          scope: EVERYTHING,
          page: 1,
          per_page: 2,
          sort,
          ...(after ? { after } : {}),
        });
        pages.push(...page.items.map(({ id }) => id));
        after = page.next ?? undefined;
      } while (after);
      expect(pages).toEqual(whole);
      expect(new Set(pages).size).toBe(7);
    }
    await expect(box.exposures.list({ scope: EVERYTHING, ...PAGE, after: 'nonsense' })).rejects.toMatchObject({
      code: 'invalid_cursor',
    });
  });

  it('follow an episode through a snapshot that nobody can judge', async () => {
    const { items } = await box.exposures.list({
      scope: MINE,
      ...PAGE,
      site: [uuidOf('site', 2)],
      advisory: ['SA-CONTRIB-2026-010'],
    });
    expect(items).toMatchObject([
      {
        ...{ opened_at: '2026-05-20T00:00:00.000Z', state: 'closed', reason: 'patched', days: 4 },
        ...{ unknown_since: '2026-05-22T00:00:00.000Z', closed_after: '2026-05-21T00:00:00.000Z' },
      },
    ]);
    const open = async (as_of: string) => (await box.dashboard.overview({ scope: MINE, as_of })).exposures;
    expect(await open('2026-05-21T00:00:00Z')).toMatchObject({ open: 5, unknown: 0, open_site_modules: 3 });
    expect(await open('2026-05-23T00:00:00Z')).toMatchObject({ open: 3, unknown: 2, open_site_modules: 2 });
    expect(await open('2026-05-25T00:00:00Z')).toMatchObject({ open: 3, unknown: 0, open_site_modules: 2 });
  });

  it('say how the fleet stood at any instant', async () => {
    const then = await box.dashboard.overview({ scope: EVERYTHING, as_of: '2026-05-21T00:00:00Z' });
    expect(then.sites).toEqual({ total: 3, exposed: 3, reporting: 1, silent: 2, waiting: 0, quarantined: null });
    expect(then.modules).toMatchObject({ installed: 7, distinct: 4, updates: null });
    expect(then.exposures.open_by_risk).toEqual({ highly_critical: 3, less_critical: 3, unrated: 1 });
    const now = await box.dashboard.overview({ scope: EVERYTHING });
    expect(now.sites).toEqual({ total: 4, exposed: 2, reporting: 1, silent: 2, waiting: 1, quarantined: 0 });
    expect(now.exposures).toMatchObject({
      open: 5,
      open_site_modules: 3,
      opened_last_30_days: 6,
      closed_last_30_days: 2,
    });
    expect(now.time_to_patch_days).toMatchObject({ count: 2, median: 4, within_a_week: 1 });
    // Site 1 since 2 May, site 2 for four days, site 3 since 20 May.
    expect(now.site_days_exposed_90).toBe(30 + 4 + 12);
    expect(now.worst_sites.map(({ name, open_exposures }) => [name, open_exposures])).toEqual([
      ['Site 1', 3],
      ['Site 3', 2],
    ]);
    expect(now.latest_advisories).toMatchObject([
      { advisory: 'SA-CONTRIB-2026-011', sites_exposed: 3, sites_patched: 1 },
      { advisory: 'SA-CONTRIB-2026-010', sites_exposed: 3, sites_patched: 1 },
    ]);
  });

  it('count from the moment a push is applied, remembered or not', async () => {
    const before = await box.dashboard.overview({ scope: THEIRS });
    expect(before.exposures.open).toBe(2);
    await box.push(inventory(3, 2, '2026-05-31T00:00:00Z', [change('token', '8.x-1.6')], { organization_id: 2 }));
    const after = await box.dashboard.overview({ scope: THEIRS });
    expect(after.exposures).toMatchObject({ open: 0, closed_last_30_days: 2 });
    expect(after.time_to_patch_days).toMatchObject({ count: 2, median: 11 });
    expect(after.worst_sites).toEqual([]);
  });

  it('keep retracted exposures out of every figure and show them to who asks', async () => {
    await box.tell(advisory('SA-CONTRIB-2026-011', 'token', '<1.6', '2026-05-20', { revision: 2, state: 'retracted' }));
    const { items } = await box.exposures.list({ scope: EVERYTHING, ...PAGE, reason: ['retracted'] });
    expect(items.map(({ advisory: name }) => name)).toEqual(Array(3).fill('SA-CONTRIB-2026-011'));
    expect((await box.exposures.list({ scope: EVERYTHING, ...PAGE, advisory: ['SA-CONTRIB-2026-011'] })).items).toEqual(
      [],
    );
    expect((await box.dashboard.overview({ scope: EVERYTHING })).exposures).toMatchObject({
      open: 2,
      opened_last_30_days: 3,
    });
  });

  it('end the exposures of a removed site and leave it out', async () => {
    await box.register(site(1, { revision: 5, removed_at: '2026-06-01T00:00:00Z' }));
    expect((await box.sites.list({ scope: MINE, ...PAGE })).items.map(({ name }) => name)).not.toContain('Site 1');
    const { items } = await box.exposures.list({ scope: MINE, ...PAGE, site: [uuidOf('site', 1)] });
    expect(items.map(({ reason, closed_at }) => [reason, closed_at])).toEqual(
      Array(2).fill(['site_removed', '2026-06-01T00:00:00.000Z']),
    );
    expect((await box.dashboard.overview({ scope: MINE })).exposures.open).toBe(0);
    expect((await box.dashboard.overview({ scope: MINE, as_of: '2026-05-25T00:00:00Z' })).exposures.open).toBe(2);
  });
});
