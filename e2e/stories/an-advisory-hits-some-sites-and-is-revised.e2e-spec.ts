import type { AdvisoryRow, AdvisorySiteRow, ExposureRow, ModuleRow, ModuleVersionRow } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { caughtUp } from '../harness/caught-up.js';
import { startSystem, type System } from '../harness/system.js';

/** An advisory, from its publication at Drupal.org to the revision that takes half of it back: whom it hits, whom not, and why. */
const SA = 'SA-CONTRIB-2026-900';

interface Advisory extends AdvisoryRow {
  readonly revisions: { readonly revision: number; readonly changed: string[]; readonly affected: string }[];
  readonly sites: Record<string, number>;
  readonly exposures_voided: number;
  readonly matched_sites: AdvisorySiteRow[];
  readonly unknown_sites: AdvisorySiteRow[];
  readonly unaffected_sites: AdvisorySiteRow[];
}

let system: System;
const sites = new Map<string, { id: string; key: string }>();

beforeAll(async () => {
  system = await startSystem();
  for (const [name, modules] of [
    ['shop', [{ project: 'token', version: '8.x-1.13', status: 'enabled' }]],
    ['blog', [{ project: 'token', version: '8.x-1.17', status: 'enabled' }]],
    ['lab', [{ project: 'token', version: '8.x-1.x-dev', status: 'enabled' }]],
    ['plain', [{ project: 'pathauto', version: '8.x-1.12', status: 'enabled' }]],
  ] as const) {
    const { data } = await system.client.request<{ site: { id: string }; key: string }>('POST', '/api/v1/sites', {
      body: { name, url: `https://${name}.example`, environment: 'prod' },
    });
    sites.set(name, { id: data.site.id, key: data.key });
    await system.client.request('POST', `/api/v1/sites/${data.site.id}/modules/sync`, {
      headers: { 'x-api-key': data.key },
      body: {
        ...{ schema: 1, site_uuid: data.site.id, collected_at: new Date().toISOString(), sequence: 1 },
        ...{ core: { version: '11.2.5' }, modules },
      },
    });
  }
  await system.client.request('POST', '/api/v1/sites', { body: { name: 'new', url: 'https://new.example' } });
}, 180_000);
afterAll(() => system?.stop());

/** The catalog looks again now, not in a quarter of a minute. */
const lookAgain = () =>
  system.query(`UPDATE catalog.sync_states SET next_due = now() WHERE subject IN ('advisories', 'advisory-archive')`);

const read = async <T>(path: string) => (await system.client.request<T>('GET', `/api/v1${path}`)).data;

/** The advisory, once it is as `wanted`. */
const advisory = (what: string, wanted: (advisory: Advisory) => boolean) =>
  eventually(
    async () => {
      const found = await read<Advisory>(`/advisories/${SA}`).catch(() => null);
      return found && wanted(found) ? found : null;
    },
    { what, timeoutMs: 40_000 },
  );

describe('an advisory that Drupal.org publishes', () => {
  it('tells which sites it hits, which it does not, and of which nobody can know, each with the reason', async () => {
    // Every site by its own way: what one has pushed says nothing of another.
    await caughtUp(system);
    expect((await read<ModuleRow[]>('/modules?q=token&origin=drupal_org'))[0]?.sites).toBe(3);
    system.upstream.control.publishAdvisory({
      ...{ id: SA, project: 'token', affected: '<1.17.0', fixed: ['8.x-1.17'], cve: ['CVE-2026-9000'] },
      ...{ risk: 'Critical', score: 16, type: 'Cross Site Scripting' },
    });
    await lookAgain();
    const found = await advisory('the advisory with its sites', ({ sites: { exposed } }) => exposed === 1);
    expect(found).toMatchObject({ module: 'token', risk: 'critical', cves: ['CVE-2026-9000'], fixed: ['8.x-1.17'] });
    expect(found.matched_sites).toMatchObject([
      { name: 'shop', verdict: 'exposed', reason: 'version_affected', installed_version: '8.x-1.13' },
    ]);
    expect(found.unknown_sites.map(({ name, reason }) => [name, reason])).toEqual([
      ['lab', 'dev_version'],
      ['new', 'never_reported'],
    ]);
    expect(found.unaffected_sites.map(({ name, reason }) => [name, reason])).toEqual([
      ['blog', 'version_not_affected'],
      ['plain', 'not_installed'],
    ]);
    // The recorded releases carry no mark for an advisory that was made up here: the two sources differ, and both are shown.
    expect(found.matched_sites[0]).toMatchObject({ advisory_range: 'affected', sources_differ: true });
  });

  it('counts in the lists of advisories, modules and releases, and is the cause of an exposure', async () => {
    expect(await read<AdvisoryRow[]>('/advisories?exposed=true&module=token&sort=-sites_open')).toMatchObject([
      { id: SA, sites_exposed: 1, sites_open: 1, sites_patched: 0, sites_unknown: 1 },
    ]);
    expect(await read<ModuleRow[]>('/modules?q=token&security_update=true')).toMatchObject([
      { module: 'token', sites: 3, sites_exposed: 1 },
    ]);
    const versions = await read<ModuleVersionRow[]>('/modules/token/versions?installed=true');
    expect(versions.find(({ version }) => version === '8.x-1.13')).toMatchObject({
      advisories: [SA],
      sites_exposed: 1,
    });
    expect(await read<ExposureRow[]>(`/exposures?advisory=${SA}&state=open`)).toMatchObject([{ site_name: 'shop' }]);
    const response = await fetch(`${system.url}/api/v1/advisories/${SA}/sites?format=csv`, {
      headers: { authorization: `Bearer ${system.client.accessToken()}` },
    });
    expect((await response.text()).trimEnd().split('\r\n')).toHaveLength(1 + 5);
  });

  it('voids what it no longer covers when it is revised: that is not patched', async () => {
    system.upstream.control.reviseAdvisory(SA, { affected: '<1.10.0' });
    await lookAgain();
    const revised = await advisory('the revision', ({ revision }) => revision > 1);
    expect(revised).toMatchObject({ exposures_voided: 1, matched_sites: [] });
    expect(revised.revisions[0]).toMatchObject({ changed: ['affected'] });
    expect(revised.revisions).toHaveLength(2);
    expect(revised.unaffected_sites.map(({ name, reason, voided_at }) => [name, reason, voided_at !== null])).toEqual([
      ['blog', 'version_not_affected', false],
      ['plain', 'not_installed', false],
      ['shop', 'version_not_affected', true],
    ]);
    expect(await read<ExposureRow[]>(`/exposures?advisory=${SA}`)).toEqual([]);
    expect(await read<ExposureRow[]>(`/exposures?advisory=${SA}&reason=retracted`)).toMatchObject([
      { site_name: 'shop', reason: 'retracted' },
    ]);
    expect(await read<AdvisoryRow[]>(`/advisories?q=${SA}`)).toMatchObject([{ sites_exposed: 0, sites_patched: 0 }]);
  });
});

describe('a module of one’s own', () => {
  it('is declared, counts for the sites that run it, and is taken back', async () => {
    const { id, key } = sites.get('plain')!;
    await system.client.request('POST', '/api/v1/modules', {
      body: {
        ...{ name: 'town_hall_forms', title: 'Forms of the town hall' },
        releases: [
          { version: '1.1.0', released_at: '2026-09-01', security: true },
          { version: '1.0.0', released_at: '2026-01-01', insecure: true },
        ],
      },
    });
    await system.client.request('POST', `/api/v1/sites/${id}/modules/sync`, {
      headers: { 'x-api-key': key },
      body: {
        ...{
          schema: 1,
          site_uuid: id,
          collected_at: new Date().toISOString(),
          sequence: 2,
          core: { version: '11.2.5' },
        },
        modules: [{ project: 'town_hall_forms', version: '1.0.0', status: 'enabled' }],
      },
    });
    const module = await eventually(
      async () => {
        const [row] = await read<ModuleRow[]>('/modules?origin=own');
        return row?.security_updates === 1 ? row : null;
      },
      { what: 'the security update of the own module', timeoutMs: 20_000 },
    );
    expect(module).toMatchObject({ title: 'Forms of the town hall', recommended_version: '1.1.0', sites: 1 });
    expect(await read('/modules/town_hall_forms')).toMatchObject({
      own: [{ state: 'own', revision: 1 }],
      sites: [{ name: 'plain', status: 'not_secure' }],
    });
    const token = { body: { name: 'token', title: 'Not ours' } };
    await expect(system.client.request('POST', '/api/v1/modules', token)).rejects.toMatchObject({
      code: 'module_known_upstream',
    });
    await system.client.request('DELETE', '/api/v1/modules/town_hall_forms');
    await eventually(async () => (await read<ModuleRow[]>('/modules?origin=own')).length === 0, {
      what: 'the removal to be told',
    });
  });
});
