import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  advisoryDetail,
  advisorySites,
  listAdvisories,
  listExposures,
  listModules,
  moduleDetail,
  moduleVersions,
  problemsOf,
  type CustomReleasesChanged,
} from '#libs/contracts';
import { whyUnknown } from '../src/version-status/why-unknown.js';
import { advisory, change, inventory, organization, releases, site, uuidOf } from './facts.js';
import { ReportingBox } from './reporting-box.js';

const EVERYTHING = { organization_ids: null };
const MINE = { organization_ids: [1] };
const THEIRS = { organization_ids: [2] };
const PAGE = { page: 1, per_page: 25 };
const SA = 'SA-CONTRIB-2026-010';

/**
 * Today is 2026-06-01. Sites of organization 1, by how they stand to the advisory on token: 1 exposed, 2 patched, 3 removed it, 4 runs a
 * snapshot, 5 names no version, 6 has never pushed, 7 told a part of what it runs, 8 is silent, 9 has the fix, 10 has it not installed.
 * Site 20 belongs to organization 2.
 */
describe('modules and advisories', () => {
  let box: ReportingBox;

  const tokenReleases = (revision = 1) =>
    releases(
      'token',
      '8.x-1.,2.0.',
      [
        { version: '2.0.0-beta1', date: '2026-05-25' },
        { version: '8.x-1.6', date: '2026-05-20', terms: ['Security update'] },
        { version: '8.x-1.5', date: '2024-01-01', terms: ['Insecure'] },
        { version: '8.x-1.4', date: '2023-01-01', terms: ['Insecure'] },
        { version: '8.x-1.x-dev', date: '2026-05-26' },
      ],
      { revision },
    );

  beforeAll(async () => {
    box = await ReportingBox.open();
    box.clock.set('2026-06-01T00:00:00Z');
    await box.register(organization(1), organization(2));
    for (let id = 1; id <= 10; id++) await box.register(site(id, { name: `Site ${String(id).padStart(2, '0')}` }));
    await box.register(site(20, { organization_id: 2 }));
    await box.tell(
      tokenReleases(),
      releases('views', '2.0.', [{ version: '2.0.3', date: '2026-05-02' }]),
      releases('gone', '8.x-1.', [{ version: '8.x-1.0', date: '2020-01-01' }]),
      releases('elsewhere', '1.0.', [{ version: '1.0.0', date: '2020-01-01' }]),
      { ...releases('custom', '', []), outcome: 'not_found' as const, history: null },
      advisory(SA, 'token', '<1.6', '2026-05-20', { fixed: ['8.x-1.6'], cves: ['CVE-2026-1'], risk_score: 15 }),
      advisory('SA-CONTRIB-2026-011', 'views', null, '2026-05-21', { risk: null, fixed: [] }),
      advisory('SA-CONTRIB-2025-099', 'gone', '*', '2025-02-01', { revision: 2, state: 'retracted' }),
    );
    const installed = (id: number, version: string | null, more = [change('views', '2.0.3')]) =>
      inventory(id, 1, '2026-05-01T00:00:00Z', [change('token', version), ...more]);
    await box.push(
      installed(1, '8.x-1.5', [change('custom', '1.0.0'), change('views', '2.0.3')]),
      installed(2, '8.x-1.5'),
      installed(3, '8.x-1.4'),
      installed(4, '8.x-1.x-dev'),
      installed(5, null),
      inventory(7, 1, '2026-05-01T00:00:00Z', [change('views', '2.0.3')], { complete: false }),
      installed(8, '8.x-1.6'),
      installed(9, '8.x-1.6'),
      inventory(10, 1, '2026-05-01T00:00:00Z', [change('custom', '1.1.0')]),
      inventory(20, 1, '2026-05-01T00:00:00Z', [change('token', '8.x-1.5'), change('elsewhere', '1.0.0')], {
        organization_id: 2,
      }),
    );
    await box.push(
      inventory(2, 2, '2026-05-22T00:00:00Z', [change('token', '8.x-1.6')]),
      inventory(3, 2, '2026-05-23T00:00:00Z', [change('token', 'gone')]),
    );
    await heard([1, 2, 3, 4, 5, 7, 9, 10, 20]);
  }, 60_000);

  afterAll(() => box?.close());

  async function heard(sites: readonly number[]): Promise<void> {
    const at = '2026-05-31T12:00:00.000Z';
    const words = sites.map((id) => ({
      ...{ site_id: id, organization_id: id < 20 ? 1 : 2, heard_at: at, observed_at: at, complete: id !== 7 },
    }));
    await box.run((tx) => box.inventories.store(tx, [], words));
  }

  const modules = async (filter: object = {}, scope: { organization_ids: number[] | null } = MINE) =>
    (await box.moduleList.list({ scope, ...PAGE, sort: 'module', ...filter })).items;
  const names = async (filter: object = {}, scope: { organization_ids: number[] | null } = MINE) =>
    (await modules(filter, scope)).map(({ module }) => module);
  const page = (id = SA, scope: { organization_ids: number[] | null } = MINE) =>
    box.advisoryPages.detail({ scope, advisory: id, sites: 25 });

  it('fit their contracts', async () => {
    const answers = [
      [listModules, await box.moduleList.list({ scope: EVERYTHING, ...PAGE })],
      [moduleDetail, await box.modulePages.detail({ scope: MINE, module: 'token', ...PAGE })],
      [moduleVersions, await box.moduleVersions.list({ scope: MINE, module: 'token', ...PAGE })],
      [listAdvisories, await box.advisories.list({ scope: EVERYTHING, ...PAGE })],
      [advisoryDetail, await page()],
      [advisorySites, await box.advisoryPages.sitesOf({ scope: MINE, advisory: SA, ...PAGE })],
      [listExposures, await box.exposures.list({ scope: MINE, ...PAGE })],
    ] as const;
    for (const [definition, answer] of answers) {
      expect(answer).not.toBeNull();
      expect([definition.method, ...problemsOf(definition.output)(answer)]).toEqual([definition.method]);
    }
  });

  describe('the list of modules', () => {
    it('counts the sites of who asks, and no others', async () => {
      expect(await modules()).toMatchObject([
        { module: 'custom', origin: 'unknown', sites: 2, versions: 2, unknown: 2, recommended_version: null },
        {
          ...{ module: 'token', origin: 'drupal_org', title: 'TOKEN', type: 'module', sites: 6, versions: 4 },
          ...{ sites_exposed: 1, security_updates: 1, updates: 1, unknown: 2, recommended_version: '8.x-1.6' },
          latest_release_at: '2026-05-25T00:00:00.000Z',
        },
        { module: 'views', sites: 8, versions: 1, sites_exposed: 0, updates: 0, unknown: 0 },
      ]);
      expect(await modules({}, THEIRS)).toMatchObject([
        { module: 'elsewhere', sites: 1 },
        { module: 'token', sites: 1, sites_exposed: 1 },
      ]);
      expect(await modules({ module: 'token', q: 'tok' }, EVERYTHING)).toMatchObject([{ sites: 7, sites_exposed: 2 }]);
      expect(await modules({}, { organization_ids: [] })).toEqual([]);
    });

    it('shows what is known and nobody of theirs runs only to who asks for it, and never what other tenants alone run', async () => {
      expect(await names({ installed: true })).toEqual(['custom', 'token', 'views']);
      expect(await names({ installed: false })).toEqual(['elsewhere', 'gone']);
      expect(await names({ installed: false }, THEIRS)).toEqual(['gone', 'views']);
    });

    it('is filtered by words, type, origin and what is due', async () => {
      expect(await names({ q: 'VIEW' })).toEqual(['views']);
      expect(await names({ q: '%' })).toEqual([]);
      expect(await names({ type: ['theme', 'profile'] })).toEqual([]);
      expect(await names({ origin: ['unknown'] })).toEqual(['custom']);
      expect(await names({ security_update: true })).toEqual(['token']);
      expect(await names({ exposed: false })).toEqual(['custom', 'views']);
      expect(await names({ unknown: true })).toEqual(['custom', 'token']);
      expect(await names({ unsupported: true })).toEqual([]);
      expect(await names({ update: true, origin: ['drupal_org'] })).toEqual(['token']);
    });

    it('is sorted as asked, and paged by number and by key without losing one', async () => {
      for (const sort of ['module', '-module', 'sites', '-sites', 'title', '-unknown', '-security_updates']) {
        const whole = (await modules({ sort })).map(({ module }) => module);
        expect(new Set(whole).size).toBe(3);
        const byNumber: string[] = [];
        for (let number = 1; number <= 3; number++)
          byNumber.push(...(await names({ sort, page: number, per_page: 1 })));
        const byKey: string[] = [];
        let after: string | undefined;
        do {
          const part = await box.moduleList.list({
            scope: MINE,
            page: 1,
            per_page: 1,
            sort,
            ...(after ? { after } : {}),
          });
          byKey.push(...part.items.map(({ module }) => module));
          after = part.next ?? undefined;
        } while (after);
        expect([byNumber, byKey]).toEqual([whole, whole]);
      }
      expect((await modules({ sort: '-sites' })).map(({ sites }) => sites)).toEqual([8, 6, 2]);
      await expect(modules({ sort: 'colour' })).rejects.toMatchObject({ code: 'invalid_sort' });
      await expect(modules({ after: 'nonsense' })).rejects.toMatchObject({ code: 'invalid_cursor' });
    });
  });

  it('list the releases of a module with what both sources say, and versions that only sites know', async () => {
    const { items, meta } = (await box.moduleVersions.list({ scope: MINE, module: 'token', ...PAGE }))!;
    expect(meta.total).toBe(6);
    expect(
      items.map(({ version, sites, sites_exposed, drupal_mark, advisory_range, sources_differ, advisories, fixes }) => [
        ...[
          version,
          sites,
          sites_exposed,
          drupal_mark,
          advisory_range,
          sources_differ,
          advisories.length,
          fixes.length,
        ],
      ]),
    ).toEqual([
      ['2.0.0-beta1', 0, 0, 'not_insecure', 'unaffected', false, 0, 0],
      ['8.x-1.x-dev', 1, 0, 'not_insecure', 'unknown', false, 0, 0],
      ['8.x-1.6', 3, 0, 'not_insecure', 'unaffected', false, 0, 1],
      ['8.x-1.5', 1, 1, 'insecure', 'affected', false, 1, 0],
      ['8.x-1.4', 0, 0, 'insecure', 'affected', false, 1, 0],
      [null, 1, 0, 'not_listed', 'unknown', false, 0, 0],
    ]);
    expect(items.at(-1)).toMatchObject({ listed: false, status: 'unknown', reason: expect.any(String) });
    const only = async (filter: object) =>
      (await box.moduleVersions.list({ scope: MINE, module: 'token', ...PAGE, ...filter }))!.items.map(
        ({ version }) => version,
      );
    expect(await only({ installed: true, sort: '-sites' })).toEqual(['8.x-1.6', '8.x-1.x-dev', '8.x-1.5', null]);
    expect(await only({ insecure: true })).toEqual(['8.x-1.5', '8.x-1.4']);
    expect(await only({ security_update: true })).toEqual(['8.x-1.6']);
    expect(await box.moduleVersions.list({ scope: THEIRS, module: 'custom', ...PAGE })).toBeNull();
    expect(await box.moduleVersions.list({ scope: MINE, module: 'custom', ...PAGE })).toMatchObject({
      items: [{ version: '1.1.0', listed: false }, { version: '1.0.0' }],
    });
  });

  describe('the list of advisories', () => {
    const ids = async (filter: object = {}, scope: { organization_ids: number[] | null } = MINE) =>
      (await box.advisories.list({ scope, ...PAGE, ...filter })).items.map(({ id }) => id);

    it('tells how many sites of who asks each hits', async () => {
      const { items } = await box.advisories.list({ scope: MINE, ...PAGE });
      expect(items).toMatchObject([
        { id: 'SA-CONTRIB-2026-011', sites_exposed: 0, sites_unknown: 8, module_title: 'VIEWS', fixed: [] },
        { id: SA, sites_exposed: 3, sites_open: 1, sites_patched: 1, sites_unknown: 2, cves: ['CVE-2026-1'] },
        { id: 'SA-CONTRIB-2025-099', state: 'retracted', sites_exposed: 0 },
      ]);
      const theirs = await box.advisories.list({ scope: THEIRS, ...PAGE, exposed: true });
      expect(theirs.items).toMatchObject([{ id: SA, sites_exposed: 1, sites_open: 1, sites_patched: 0 }]);
    });

    it('is filtered and sorted as asked', async () => {
      expect(await ids({ q: 'cve-2026-1' })).toEqual([SA]);
      expect(await ids({ q: 'TOKEN' })).toEqual([SA]);
      expect(await ids({ module: ['views', 'gone'] })).toEqual(['SA-CONTRIB-2026-011', 'SA-CONTRIB-2025-099']);
      expect(await ids({ risk: ['critical'], state: ['published'] })).toEqual([SA]);
      expect(await ids({ cve: ['CVE-2026-1'] })).toEqual([SA]);
      expect(await ids({ matched: true })).toEqual([SA]);
      expect(await ids({ fixed: false, state: ['published'] })).toEqual(['SA-CONTRIB-2026-011']);
      expect(await ids({ published_from: '2026-05-20T00:00:00Z', published_before: '2026-05-21T00:00:00Z' })).toEqual([
        SA,
      ]);
      expect((await ids({ sort: '-sites_open' }))[0]).toBe(SA);
      expect((await ids({ sort: 'published_at' }))[0]).toBe('SA-CONTRIB-2025-099');
      // Without a risk it comes last, whichever way.
      for (const sort of ['risk', '-risk']) expect((await ids({ sort })).at(-1)).toBe('SA-CONTRIB-2026-011');
    });
  });

  describe('one advisory', () => {
    it('puts every site in exactly one place, with the reason', async () => {
      const { items, meta } = (await box.advisoryPages.sitesOf({ scope: MINE, advisory: SA, ...PAGE }))!;
      expect(items.map(({ name, verdict, reason }) => [name, verdict, reason])).toEqual([
        ['Site 01', 'exposed', 'version_affected'],
        ['Site 04', 'unknown', 'dev_version'],
        ['Site 05', 'unknown', 'no_version'],
        ['Site 06', 'unknown', 'never_reported'],
        ['Site 07', 'unknown', 'inventory_incomplete'],
        ['Site 08', 'unknown', 'silent'],
        ['Site 02', 'patched', 'patched'],
        ['Site 03', 'removed', 'removed'],
        ['Site 09', 'unaffected', 'version_not_affected'],
        ['Site 10', 'unaffected', 'not_installed'],
      ]);
      expect(meta.total).toBe(10);
      expect(await page()).toMatchObject({
        ...{ id: SA, revision: 1, sites_differing: 0, exposures_voided: 0 },
        sites: { total: 10, exposed: 1, unknown: 5, patched: 1, removed: 1, unaffected: 2 },
        reasons: { version_affected: 1, not_installed: 1, silent: 1 },
        matched_sites: [{ name: 'Site 01' }, { name: 'Site 02' }, { name: 'Site 03' }],
        unaffected_sites: [{ name: 'Site 09' }, { name: 'Site 10' }],
      });
      expect((await page())!.unknown_sites.map(({ name }) => name)).toEqual([4, 5, 6, 7, 8].map((id) => `Site 0${id}`));
      // The same reasons, wherever they are told.
      for (const { reason, installed_version } of items.filter(({ reason: why }) => /version$/.test(why)).slice(1, 3))
        expect(whyUnknown(installed_version, 'advisory_with_range')).toBe(reason);
    });

    it('says the reason in a sentence', async () => {
      const { items } = (await box.advisoryPages.sitesOf({ scope: MINE, advisory: SA, ...PAGE }))!;
      const sentence = (name: string) => items.find((item) => item.name === name)!.detail;
      expect(sentence('Site 01')).toBe('TOKEN 8.x-1.5 is affected (the advisory names <1.6); fixed in 8.x-1.6.');
      expect(sentence('Site 09')).toBe('TOKEN 8.x-1.6 is not affected (the advisory names <1.6).');
      expect(sentence('Site 10')).toBe('TOKEN is not installed.');
      expect(sentence('Site 04')).toContain('8.x-1.x-dev is a development snapshot');
    });

    it('shows every tenant its own sites only, and is the same for all otherwise', async () => {
      expect(await page(SA, THEIRS)).toMatchObject({ id: SA, sites: { total: 1, exposed: 1 } });
      expect(await page(SA, { organization_ids: [] })).toMatchObject({ sites: { total: 0 } });
      expect(await page('SA-CONTRIB-1999-001')).toBeNull();
      expect(await box.advisoryPages.sitesOf({ scope: MINE, advisory: 'SA-NOPE', ...PAGE })).toBeNull();
    });

    it('has its sites filtered, sorted and paged', async () => {
      const found = async (filter: object) =>
        (await box.advisoryPages.sitesOf({ scope: MINE, advisory: SA, ...PAGE, ...filter }))!.items.map(
          ({ name }) => name,
        );
      expect(await found({ verdict: ['patched', 'removed'] })).toEqual(['Site 02', 'Site 03']);
      expect(await found({ reason: ['silent', 'not_installed'] })).toEqual(['Site 08', 'Site 10']);
      expect(await found({ q: 'site-9.' })).toEqual(['Site 09']);
      expect(await found({ sources_differ: true })).toEqual([]);
      expect(await found({ sort: '-name', per_page: 2 })).toEqual(['Site 10', 'Site 09']);
      expect(await found({ sort: 'closed_at', per_page: 2 })).toEqual(['Site 02', 'Site 03']);
      expect(await found({ page: 4, per_page: 3 })).toEqual(['Site 10']);
      expect(await found({ page: 5, per_page: 3 })).toEqual([]);
    });

    it('without a range leaves who runs the module unknown, and says so', async () => {
      expect(await page('SA-CONTRIB-2026-011')).toMatchObject({
        sites: { exposed: 0, unknown: 9, unaffected: 1 },
        reasons: { no_range: 8, never_reported: 1, not_installed: 1 },
      });
    });
  });

  it('what an inventory lacks makes a module unknown on its site, with the reason', async () => {
    const odd = [
      change('views', null),
      change('token', '8.x-1.x-dev', { installed: { version: '8.x-1.x-dev', datestamp: null, state: 'enabled' } }),
      change('gone', ''),
      change('elsewhere', 'master'),
      change('custom', '1.0.0'),
    ];
    await box.register(site(30, { organization_id: 2 }));
    await box.push(inventory(30, 1, '2026-05-01T00:00:00Z', odd, { organization_id: 2 }));
    const { items } = (await box.sites.modulesOf({ scope: THEIRS, site: uuidOf('site', 30), ...PAGE }))!;
    expect(Object.fromEntries(items.map(({ module, group, reason }) => [module, [group, reason]]))).toEqual({
      views: ['unknown', 'invalid-version'],
      token: ['unknown', 'unknown-release-date'],
      gone: ['unknown', 'empty-version'],
      elsewhere: ['unknown', 'invalid-version'],
      custom: ['unknown', 'no-releases'],
    });
    const row = (await box.sites.list({ scope: THEIRS, site: uuidOf('site', 30), ...PAGE })).items[0];
    expect(row).toMatchObject({ modules: 5, unknown: 5, updates: 0, open_exposures: 0 });
    await box.register(site(30, { organization_id: 2, revision: 2, removed_at: '2026-06-01T00:00:00Z' }));
  });

  it('an exposure that became unknown says why, and what the site runs now', async () => {
    const token = async () =>
      (await box.sites.modulesOf({ scope: MINE, site: uuidOf('site', 1), ...PAGE }))!.items.find(
        ({ module }) => module === 'token',
      );
    const summary = async () =>
      (await box.sites.list({ scope: MINE, site: uuidOf('site', 1), ...PAGE })).items[0]!.unknown;
    const unknownOfToken = async () => (await modules({ q: 'token' }))[0]!.unknown;
    const before = [await summary(), await unknownOfToken()] as const;
    const snapshot = { version: '8.x-1.x-dev', datestamp: Date.UTC(2026, 4, 26) / 1_000, state: 'enabled' as const };
    await box.push(
      inventory(1, 2, '2026-05-31T00:00:00Z', [change('token', snapshot.version, { installed: snapshot })]),
    );
    const { items } = await box.exposures.list({ scope: MINE, ...PAGE, state: ['unknown'] });
    expect(items).toMatchObject([
      { installed_version: '8.x-1.5', current_version: '8.x-1.x-dev', unknown_reason: 'dev_version', advisory: SA },
    ]);
    expect((await page())!.unknown_sites[0]).toMatchObject({ name: 'Site 01', reason: 'dev_version' });
    // Drupal calls the snapshot current; nobody can say that the site is safe.
    expect(await token()).toMatchObject({ status: 'current', group: 'unknown', reason: 'exposure-unknown' });
    expect([await summary(), await unknownOfToken()]).toEqual([before[0] + 1, before[1] + 1]);
    await box.tell(tokenReleases(2));
    expect(await token()).toMatchObject({ status: 'current', group: 'unknown' });
    expect(await summary()).toBe(before[0] + 1);
    await box.push(inventory(1, 3, '2026-05-31T06:00:00Z', [change('token', '8.x-1.5')]));
    expect(await token()).toMatchObject({ group: 'security', reason: null });
    expect([await summary(), await unknownOfToken()]).toEqual(before);
    expect((await box.exposures.list({ scope: MINE, ...PAGE, state: ['unknown'] })).items).toEqual([]);
  });

  describe('where Drupal’s mark and the advisory’s range differ, both count and both are shown:', () => {
    it('a version in the range that is not marked', async () => {
      await box.tell(
        releases(
          'token',
          '8.x-1.,2.0.',
          [
            { version: '8.x-1.6', date: '2026-05-20', terms: ['Security update'] },
            { version: '8.x-1.5', date: '2024-01-01' },
            { version: '8.x-1.4', date: '2023-01-01', terms: ['Insecure'] },
          ],
          { revision: 3 },
        ),
      );
      const { items } = await box.exposures.list({ scope: MINE, ...PAGE, state: ['open'] });
      expect(items).toMatchObject([
        { advisory: SA, drupal_mark: 'not_insecure', advisory_range: 'affected', sources_differ: true, state: 'open' },
      ]);
      expect(await page()).toMatchObject({
        sites_differing: 1,
        matched_sites: [
          { name: 'Site 01', sources_differ: true, drupal_mark: 'not_insecure', advisory_range: 'affected' },
          {},
          {},
        ],
      });
      expect((await page())!.matched_sites[0]!.detail).toContain('Drupal.org does not mark this release insecure');
      const { versions } = (await box.modulePages.detail({ scope: MINE, module: 'token', ...PAGE }))!;
      expect(versions.find(({ version }) => version === '8.x-1.5')).toMatchObject({ sources_differ: true });
    });

    it('a version that is marked and in no range', async () => {
      await box.tell(
        releases(
          'token',
          '8.x-1.,2.0.',
          [
            { version: '8.x-1.7', date: '2026-05-28', terms: ['Security update'] },
            { version: '8.x-1.6', date: '2026-05-20', terms: ['Security update', 'Insecure'] },
            { version: '8.x-1.5', date: '2024-01-01', terms: ['Insecure'] },
          ],
          { revision: 4 },
        ),
      );
      const { items } = await box.exposures.list({ scope: MINE, ...PAGE, state: ['open'], site: [uuidOf('site', 9)] });
      expect(items).toMatchObject([
        {
          ...{ advisory: null, installed_version: '8.x-1.6', fixed_in: ['8.x-1.7'] },
          ...{ drupal_mark: 'insecure', advisory_range: 'unaffected', sources_differ: true },
        },
      ]);
      const found = await box.advisoryPages.sitesOf({ scope: MINE, advisory: SA, ...PAGE, sources_differ: true });
      expect(found!.items.map(({ name, verdict }) => [name, verdict])).toEqual([
        ['Site 08', 'unknown'],
        ['Site 02', 'patched'],
        ['Site 09', 'unaffected'],
      ]);
      expect(found!.items[2]!.detail).toContain(
        'Drupal.org marks this release insecure, although no advisory covers it',
      );
      const rows = (await box.moduleVersions.list({ scope: MINE, module: 'token', ...PAGE, insecure: true }))!.items;
      expect(rows.map(({ version, sources_differ }) => [version, sources_differ])).toEqual([
        ['8.x-1.6', true],
        ['8.x-1.5', false],
      ]);
      await box.tell(tokenReleases(5));
      expect(await page()).toMatchObject({ sites_differing: 0 });
    });
  });

  it('a revision that no longer covers a version voids its exposures: they are not patched', async () => {
    await box.tell(
      advisory(SA, 'token', '<1.5', '2026-05-20', {
        revision: 2,
        fixed: ['8.x-1.6'],
        cves: ['CVE-2026-1'],
        risk_score: 15,
      }),
    );
    expect(await page()).toMatchObject({
      revision: 2,
      exposures_voided: 2,
      sites: { exposed: 0, patched: 0, removed: 1 },
      revisions: [
        { revision: 2, affected: '<1.5', changed: ['affected'] },
        { revision: 1, affected: '<1.6', changed: [] },
      ],
    });
    const sites = (await box.advisoryPages.sitesOf({ scope: MINE, advisory: SA, ...PAGE }))!.items;
    expect(sites.find(({ name }) => name === 'Site 01')).toMatchObject({
      ...{ verdict: 'unaffected', reason: 'version_not_affected', voided_at: '2026-06-01T00:00:00.000Z' },
      // Drupal.org still marks it: that is an exposure of its own, and both are shown.
      ...{ drupal_mark: 'insecure', advisory_range: 'unaffected', sources_differ: true },
    });
    const open = (await box.exposures.list({ scope: MINE, ...PAGE, state: ['open'] })).items;
    expect(open).toMatchObject([{ advisory: null, drupal_mark: 'insecure', site_name: 'Site 01' }]);
    const voided = await box.exposures.list({ scope: MINE, ...PAGE, advisory: [SA], reason: ['retracted'] });
    expect(voided.meta.total).toBe(2);
    expect((await box.exposures.list({ scope: MINE, ...PAGE, reason: ['patched'] })).items).toMatchObject([
      // Site 2 did patch what Drupal.org marks; site 1 went to a snapshot and back, and patched nothing.
      { site_name: 'Site 02', advisory: null },
    ]);
  });

  it('an advisory that turns out to be about another module leaves the one it was about, whatever arrives first', async () => {
    const moved = advisory(SA, 'views', '<2.0.4', '2026-05-20', { revision: 3 });
    await box.tell(moved);
    expect(await page()).toMatchObject({
      ...{ module: 'views', revision: 3, sites: { exposed: 8, removed: 0 } },
      revisions: [{ changed: expect.arrayContaining(['module', 'affected']) }, {}, {}],
    });
    // The old word comes again, late.
    await box.tell(advisory(SA, 'token', '<1.6', '2026-05-20', { fixed: ['8.x-1.6'] }));
    expect((await box.advisories.list({ scope: MINE, ...PAGE, q: SA })).items).toMatchObject([{ module: 'views' }]);
    expect((await box.exposures.list({ scope: MINE, ...PAGE, module: ['token'], advisory: [SA] })).items).toEqual([]);
    const token = await box.moduleVersions.list({ scope: MINE, module: 'token', ...PAGE });
    expect(token!.items.flatMap(({ advisories }) => advisories)).toEqual([]);
  });

  it('a retracted advisory exposes nobody, and its versions stay', async () => {
    await box.tell(advisory(SA, 'views', '<2.0.4', '2026-05-20', { revision: 4, state: 'retracted' }));
    expect(await page()).toMatchObject({
      ...{ state: 'retracted', exposures_voided: 8, sites: { exposed: 0, patched: 0, unaffected: 10 } },
      reasons: { retracted: 10 },
      revisions: [{ state: 'retracted', changed: ['state'] }, {}, {}, {}],
    });
    expect((await page())!.unaffected_sites[0]).toMatchObject({ voided_at: expect.any(String), reason: 'retracted' });
    expect((await box.exposures.list({ scope: MINE, ...PAGE, advisory: [SA] })).items).toEqual([]);
    expect((await box.exposures.list({ scope: MINE, ...PAGE, advisory: [SA], reason: ['patched'] })).items).toEqual([]);
  });

  describe('a module of an organization’s own', () => {
    const own = (
      revision: number,
      list: readonly [string, string[]?][],
      organizationId = 1,
    ): CustomReleasesChanged => ({
      organization_id: organizationId,
      organization_uuid: uuidOf('organization', organizationId),
      module: 'custom',
      revision,
      known_at: '2026-05-30T00:00:00Z',
      history: {
        ...{ title: 'Our forms', short_name: 'custom', type: 'project_module', project_status: 'published' },
        ...{ supported_branches: '', link: 'https://git.example/custom' },
        releases: list.map(([version, terms], index) => ({
          ...{ version, status: 'published', release_link: 'https://git.example', date: String(1_780_000_000 - index) },
          ...(terms ? { terms: { 'Release type': terms } } : {}),
        })),
      },
    });
    const ofSite = async (id: number) =>
      (await box.sites.modulesOf({ scope: EVERYTHING, site: uuidOf('site', id), ...PAGE }))!.items.find(
        ({ module }) => module === 'custom',
      );
    const summary = async (id: number) =>
      (await box.sites.list({ scope: EVERYTHING, site: uuidOf('site', id), ...PAGE })).items[0]!;

    it('has its own releases speak of the sites of that organization', async () => {
      await box.push(inventory(20, 2, '2026-05-31T00:00:00Z', [change('custom', '1.0.0')], { organization_id: 2 }));
      const before = await summary(1);
      await box.tell(
        own(1, [
          ['1.1.0', ['Security update']],
          ['1.0.0', ['Insecure']],
        ]),
      );
      expect(await ofSite(1)).toMatchObject({
        ...{ status: 'not_secure', group: 'security', recommended_version: '1.1.0', title: 'Our forms' },
        ...{ link: 'https://git.example/custom', security_updates: ['1.1.0'] },
      });
      expect(await ofSite(10)).toMatchObject({ status: 'current', group: 'current' });
      expect(await summary(1)).toMatchObject({
        security_updates: before.security_updates + 1,
        updates: before.updates + 1,
        unknown: before.unknown - 1,
      });
      expect(await ofSite(20)).toMatchObject({ status: 'unknown', group: 'unknown', title: null });
      expect(await modules({ q: 'custom' })).toMatchObject([
        {
          ...{
            origin: 'own',
            organization_id: uuidOf('organization', 1),
            title: 'Our forms',
            recommended_version: '1.1.0',
          },
          ...{ sites: 2, versions: 2, security_updates: 1, updates: 1, unknown: 0 },
        },
      ]);
      expect(await modules({ q: 'custom' }, THEIRS)).toMatchObject([
        { origin: 'unknown', title: null, sites: 1, unknown: 1 },
      ]);
      expect(await box.modulePages.detail({ scope: MINE, module: 'custom', ...PAGE, sort: 'name' })).toMatchObject({
        ...{ origin: 'own', releases: 2, type: 'module' },
        sites: [{ status: 'not_secure' }, { status: 'current' }],
        versions: [{ drupal_mark: 'not_insecure' }, { drupal_mark: 'insecure', advisory_range: null }],
      });
      expect(await box.moduleVersions.list({ scope: MINE, module: 'custom', ...PAGE })).toMatchObject({
        items: [
          { version: '1.1.0', listed: true, status: 'current', sites: 1, advisory_range: null },
          { version: '1.0.0', status: 'not_secure', drupal_mark: 'insecure' },
        ],
      });
    });

    it('judges versions that sites report later, and what a new declaration says', async () => {
      await box.push(inventory(10, 2, '2026-05-31T00:00:00Z', [change('custom', '1.0.5')]));
      expect(await ofSite(10)).toMatchObject({ status: 'not_current', group: 'update', recommended_version: '1.1.0' });
      await box.tell(own(3, [['1.0.5'], ['1.0.0']]), own(2, [['9.9.9']]));
      expect(await ofSite(10)).toMatchObject({ status: 'current' });
      expect(await ofSite(1)).toMatchObject({ status: 'not_current', group: 'update' });
    });

    it('counts for the sites of its organization as long as they belong to it', async () => {
      await box.register(site(10, { name: 'Site 10', organization_id: 2, revision: 2 }));
      expect(await ofSite(10)).toMatchObject({ status: 'unknown', group: 'unknown' });
      expect(await summary(10)).toMatchObject({ updates: 0, unknown: 1 });
      await box.register(site(10, { name: 'Site 10', revision: 3 }));
      expect(await ofSite(10)).toMatchObject({ status: 'current', group: 'current' });
    });

    it('ends with its removal, and where Drupal.org turns out to know the name', async () => {
      await box.tell(releases('custom', '1.0.', [{ version: '1.0.5', date: '2026-01-01' }], { revision: 2 }));
      expect(await ofSite(1)).toMatchObject({ title: 'CUSTOM', status: 'not_current', recommended_version: '1.0.5' });
      expect(await modules({ q: 'custom' })).toMatchObject([{ origin: 'drupal_org', organization_id: null }]);
      await box.tell({ ...releases('custom', '', []), revision: 3, outcome: 'not_found' as const, history: null });
      expect(await modules({ q: 'custom' })).toMatchObject([{ origin: 'own' }]);
      await box.tell({ ...own(4, []), history: null });
      expect(await modules({ q: 'custom' })).toMatchObject([{ origin: 'unknown', unknown: 2 }]);
      expect(await ofSite(1)).toMatchObject({ status: 'unknown', group: 'unknown' });
    });
  });
});
