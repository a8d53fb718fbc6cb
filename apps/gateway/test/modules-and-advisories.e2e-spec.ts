import {
  advisoryDetail,
  advisorySites,
  customModules,
  listAdvisories,
  listModules,
  moduleDetail,
  moduleSync,
  moduleVersions,
  type AdvisoryRow,
  type AdvisorySiteRow,
  type ModuleRow,
} from '#libs/contracts';
import { RpcError } from '#libs/streams';
import { eventually } from '#libs/testing';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { request } from './gateway-in-a-box.js';

const meta = (total: number) => ({ total, as_of: AS_OF });
const TOKEN = {
  ...{ module: 'token', title: 'Token', type: 'module', link: null, origin: 'drupal_org', organization_id: null },
  ...{ recommended_version: null, supported_branches: [], project_status: null, releases: 0, versions: [], sites: [] },
  meta: meta(0),
};

describe('modules and advisories', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(moduleDetail, () => null);
    api.others.answer(moduleVersions, () => null);
    api.others.answer(moduleSync, () => null);
    api.others.answer(customModules, () => ({ items: [] }));
  });
  afterAll(() => api.close());

  const send = (method: string, path: string, body?: unknown, token = api.token) =>
    request<Body>(api.base, method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) });
  const text = async (path: string): Promise<string> => {
    const response = await fetch(new URL(path, api.base), { headers: { authorization: `Bearer ${api.token}` } });
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    return (await response.text()).replace(/^\uFEFF/, '');
  };

  it('the list of modules is asked for with the filters in the contract’s words, and comes as a page or as a file', async () => {
    const row = (module: string): ModuleRow => ({
      ...{ module, title: 'Token', type: 'module', origin: 'drupal_org', organization_id: null, link: null },
      ...{ project_status: 'published', unsupported: false, recommended_version: '8.x-1.17', latest_release_at: AS_OF },
      ...{ sites: 3, versions: 2, sites_exposed: 1, security_updates: 1, updates: 2, unsupported_sites: 0, unknown: 0 },
    });
    api.others.answer(listModules, ({ after }: { after?: string }) =>
      after === undefined
        ? { items: [row('token')], meta: meta(2), next: 'x' }
        : { items: [row('=1+1')], meta: meta(2), next: null },
    );
    const { body } = await api.get(
      '/api/v1/modules?q=tok&type=module,theme&origin=drupal_org&installed=true&security_update=true&unsupported=false&per_page=1',
    );
    expect(body).toMatchObject({
      data: [{ module: 'token', sites: 3 }],
      meta: { total: 2, total_pages: 2, as_of: AS_OF },
    });
    expect(body.links.next).toContain('page=2');
    expect(api.others.lastInput(listModules)).toMatchObject({
      ...{ q: 'tok', type: ['module', 'theme'], origin: ['drupal_org'], installed: true },
      ...{ security_update: true, unsupported: false, sort: '-security_updates', page: 1, per_page: 1 },
    });
    const lines = (await text('/api/v1/modules?format=csv&sort=module')).trimEnd().split('\r\n');
    expect(lines.map((line) => line.split(',')[0])).toEqual(['module', 'token', `'=1+1`]);
    expect(api.others.lastInput(listModules)).toMatchObject({ after: 'x', per_page: 1_000, sort: 'module' });
  });

  it('the list of advisories and the sites of one likewise; ids may be written in lower case', async () => {
    const advisory: AdvisoryRow = {
      ...{
        id: 'SA-CONTRIB-2026-001',
        module: 'token',
        module_title: 'Token',
        title: 'Token: XSS',
        url: 'https://x.example',
      },
      ...{
        state: 'published',
        risk: 'critical',
        risk_score: 15,
        risk_vector: null,
        vulnerability: null,
        cves: ['CVE-2026-1'],
      },
      ...{
        affected: '<1.17',
        affected_d7: null,
        fixed: ['8.x-1.17'],
        unsupported: false,
        published_at: AS_OF,
        revision: 1,
      },
      ...{ known_at: AS_OF, sites_exposed: 2, sites_open: 1, sites_patched: 1, sites_unknown: 0 },
    };
    const site: AdvisorySiteRow = {
      ...{ id: api.site.uuid, name: 'Town hall', url: 'https://x.example', environment: 'prod', verdict: 'unaffected' },
      ...{ reason: 'version_not_affected', detail: 'Token 8.x-1.17 is not affected.', installed_version: '8.x-1.17' },
      ...{ drupal_mark: 'not_insecure', advisory_range: 'unaffected', sources_differ: false, exposure_id: null },
      ...{ opened_at: null, closed_at: null, voided_at: null, last_push_at: AS_OF },
    };
    api.others.answer(listAdvisories, () => ({ items: [advisory], meta: meta(1), next: null }));
    api.others.answer(advisorySites, ({ page }: { page: number }) => ({
      items: [site],
      meta: meta(page === 1 ? 1 : 0),
    }));
    await api.get(
      '/api/v1/advisories?risk=critical&cve=cve-2026-1&published_at[gte]=2026-01-01&matched=true&fixed=false',
    );
    expect(api.others.lastInput(listAdvisories)).toMatchObject({
      ...{ risk: ['critical'], cve: ['CVE-2026-1'], published_from: '2026-01-01T00:00:00.000Z', matched: true },
      ...{ fixed: false, sort: '-published_at' },
    });
    expect(await text('/api/v1/advisories?format=csv')).toContain('SA-CONTRIB-2026-001,token,Token,Token: XSS,');

    const { body } = await api.get('/api/v1/advisories/sa-contrib-2026-001/sites?verdict=unaffected,unknown');
    expect(body.data).toEqual([site]);
    expect(body.links.advisory).toBe('/api/v1/advisories/SA-CONTRIB-2026-001');
    expect(api.others.lastInput(advisorySites)).toMatchObject({
      advisory: 'SA-CONTRIB-2026-001',
      verdict: ['unaffected', 'unknown'],
    });
    const file = await text('/api/v1/advisories/SA-CONTRIB-2026-001/sites?format=csv');
    expect(file.trimEnd().split('\r\n')).toHaveLength(2);

    const sites = { total: 1, exposed: 0, unknown: 0, patched: 0, removed: 0, unaffected: 1 };
    const { sites_exposed: _1, sites_open: _2, sites_patched: _3, sites_unknown: _4, ...words } = advisory;
    api.others.answer(advisoryDetail, () => ({
      ...{
        ...words,
        revisions: [],
        sites,
        reasons: { version_not_affected: 1 },
        exposures_voided: 0,
        sites_differing: 0,
      },
      ...{ matched_sites: [], unknown_sites: [], unaffected_sites: [site], as_of: AS_OF },
    }));
    const one = await api.get('/api/v1/advisories/sa-contrib-2026-001');
    expect(one.body).toMatchObject({
      data: { id: 'SA-CONTRIB-2026-001', unaffected_sites: [{ reason: 'version_not_affected' }] },
      meta: { as_of: AS_OF },
      links: { sites: '/api/v1/advisories/SA-CONTRIB-2026-001/sites' },
    });
    const again = await api.get('/api/v1/advisories/SA-CONTRIB-2026-001', { 'if-none-match': '"x"' });
    expect(again.status).toBe(200);
  });

  it('S52: every question carries the organizations of who asks, and no others', async () => {
    for (const list of [listModules, listAdvisories])
      api.others.answer(list, () => ({ items: [], meta: meta(0), next: null }));
    api.others.answer(advisorySites, () => null);
    api.others.answer(advisoryDetail, () => null);
    const member = await api.person('developer');
    const nobody = await api.person(null);
    for (const [path, definition] of [
      ['/modules', listModules],
      ['/modules?format=csv', listModules],
      ['/modules/token', moduleDetail],
      ['/modules/token/versions', moduleVersions],
      ['/advisories', listAdvisories],
      ['/advisories?format=csv', listAdvisories],
      ['/advisories/SA-CORE-2026-001', advisoryDetail],
      ['/advisories/SA-CORE-2026-001/sites', advisorySites],
      ['/advisories/SA-CORE-2026-001/sites?format=csv', advisorySites],
    ] as const) {
      await send('GET', path, undefined, member.token);
      expect([path, api.others.lastInput(definition).scope]).toEqual([
        path,
        { organization_ids: [member.organizationId] },
      ]);
      await send('GET', path, undefined, nobody.token);
      expect([path, api.others.lastInput(definition).scope]).toEqual([path, { organization_ids: [] }]);
    }
  });

  it('S62: a module says since when what is known of it is stale and why, and is there while the catalog is away', async () => {
    const sync = {
      ...{ subject: 'module:token', last_success_at: AS_OF, last_attempt_at: AS_OF, failures: 2, stale_since: AS_OF },
      ...{ last_failure_code: 'not_well_formed', last_failure_detail: 'unclosed tag', next_due_at: AS_OF },
    };
    const catalog = async (answer: () => unknown) => {
      api.others.answer(moduleDetail, () => TOKEN);
      api.others.answer(moduleSync, answer);
      return (await send('GET', '/modules/token')).body.data as { catalog: object | null };
    };
    const known = { module: 'token', outcome: 'ok', known_upstream: true, revision: 3, known_at: AS_OF };
    expect((await catalog(() => ({ ...known, sync }))).catalog).toEqual({
      ...{ changed_at: AS_OF, checked_at: AS_OF, stale_since: AS_OF, next_check_at: AS_OF },
      ...{ failure_code: 'not_well_formed', failure_detail: 'unclosed tag' },
    });
    expect((await catalog(() => ({ ...known, sync: null }))).catalog).toBeNull();
    const away = await catalog(() => {
      throw new RpcError('unavailable', 'away', 503);
    });
    expect(away).toMatchObject({ module: 'token', catalog: null });
    api.others.answer(moduleDetail, () => null);
    api.others.answer(moduleSync, () => null);
  });

  describe('a module of an organization’s own', () => {
    const release = { version: '1.1.0', released_at: '2026-01-02', security: true };

    it('is declared, told to the catalog, stands in the audit log, and says how far it is', async () => {
      const body = {
        name: 'town_hall',
        title: 'Town hall',
        releases: [release, { version: '1.0.0', released_at: AS_OF, insecure: true }],
      };
      const created = await send('POST', '/modules', body);
      expect([created.status, created.body.data]).toEqual([
        201,
        expect.objectContaining({ module: 'town_hall', type: 'module', revision: 1, state: 'pending' }),
      ]);
      expect(created.body.links).toMatchObject({ self: '/api/v1/modules/town_hall' });
      await eventually(
        async () => {
          const entries = await api.box.streams.client.xrange('pw:{catalog.modules.0}', '-', '+');
          return entries.some(
            ([, fields]) => fields.join().includes('town_hall') && fields.join().includes('custom-module'),
          );
        },
        { what: 'the event of the declaration' },
      );
      const [line] = await api.box.database.query<{ action: string; organization_id: number; detail: object }[]>(
        `SELECT action, organization_id, detail FROM audit_log WHERE subject = 'module:town_hall'`,
      );
      expect(line).toMatchObject({
        action: 'module.created',
        organization_id: 1,
        detail: { revision: 1, releases: 2 },
      });

      // Neither the catalog nor reporting has heard of it: it is there all the same.
      expect((await send('GET', '/modules/town_hall')).body).toMatchObject({
        data: { origin: 'own', title: 'Town hall', own: [{ state: 'pending', revision: 1 }] },
        meta: { total: 0 },
      });
      expect((await send('GET', '/modules/town_hall/versions')).body.data).toEqual([]);
      const taken = { organization_id: 1, module: 'town_hall', revision: 1, taken_at: AS_OF, versions: [] };
      api.others.answer(customModules, () => ({ items: [{ ...taken, state: 'own' }] }));
      expect((await send('GET', '/modules/town_hall')).body.data).toMatchObject({ own: [{ state: 'own' }] });
      api.others.answer(customModules, () => ({ items: [{ ...taken, state: 'known_upstream' }] }));
      expect((await send('GET', '/modules/town_hall')).body.data).toMatchObject({ own: [{ state: 'known_upstream' }] });
      api.others.answer(customModules, () => {
        throw new RpcError('unavailable', 'away', 503);
      });
      expect((await send('GET', '/modules/town_hall')).body.data).toMatchObject({
        own: [{ state: 'pending', detail: expect.stringContaining('does not answer') }],
      });
      api.others.answer(customModules, () => ({ items: [] }));
    });

    it('is changed by whoever may, and what changes nothing is no change', async () => {
      const revision = async (body: unknown) =>
        ((await send('PATCH', '/modules/town_hall', body)).body.data as { revision: number }).revision;
      expect(await revision({ title: 'Town hall' })).toBe(1);
      const releases = [
        { ...release, released_at: '2026-01-02T00:00:00Z' },
        { version: '1.0.0', released_at: AS_OF, insecure: true },
      ];
      expect(await revision({ releases })).toBe(1);
      expect(await revision({ title: 'Town hall 2', link: 'https://git.example/town_hall' })).toBe(2);
      expect(await revision({ releases: [release] })).toBe(3);
      const lines = await api.box.database.query<{ detail: object }[]>(
        `SELECT detail FROM audit_log WHERE subject = 'module:town_hall' AND action = 'module.changed' ORDER BY id`,
      );
      expect(lines.map(({ detail }) => detail)).toMatchObject([
        { changed: ['title', 'link'] },
        { changed: ['releases'] },
      ]);
    });

    it.each<[string, unknown, string]>([
      ['nothing', {}, '400 validation_failed required:/name required:/title'],
      ['a name with a path in it', { name: '../x', title: 'x' }, '400 validation_failed wrong_format:/name'],
      [
        'a script as link',
        { name: 'x', title: 'x', link: 'javascript:alert(1)' },
        '400 validation_failed wrong_format:/link',
      ],
      ['no type', { name: 'x', title: 'x', type: null }, '400 validation_failed wrong_value:/type'],
      ['core as type', { name: 'x', title: 'x', type: 'core' }, '400 validation_failed wrong_value:/type'],
      [
        'releases without a time',
        { name: 'x', title: 'x', releases: [{ version: '1' }] },
        '400 validation_failed required:/releases/0/released_at',
      ],
      [
        'a version twice',
        { name: 'x', title: 'x', releases: [release, release] },
        '400 validation_failed wrong_format:/releases',
      ],
      [
        'S53: members that are not the caller’s to set',
        { name: 'x', title: 'x', organization_id: 2, revision: 9 },
        '400 validation_failed unknown_member:/organization_id unknown_member:/revision',
      ],
      [
        'organizations of others',
        { name: 'x', title: 'x', organization: '00000000-0000-7000-8000-000000000000' },
        '400 validation_failed wrong_value:/organization',
      ],
    ])('is not declared from %s', async (_what, body, expected) => {
      expect(told(await send('POST', '/modules', body))).toBe(expected);
    });

    it('is refused where the name is taken: by oneself, by core, by a project of Drupal.org; a catalog that is away refuses nothing', async () => {
      const declare = async (name: string) => told(await send('POST', '/modules', { name, title: 'x' }));
      expect(await declare('town_hall')).toBe('409 module_exists');
      expect(await declare('drupal')).toBe('409 module_known_upstream');
      const known = { module: 'token', outcome: 'ok', known_upstream: true, revision: 1, known_at: AS_OF, sync: null };
      api.others.answer(moduleSync, () => known);
      expect(await declare('token')).toBe('409 module_known_upstream');
      api.others.answer(moduleSync, () => {
        throw new RpcError('unavailable', 'away', 503);
      });
      expect(await declare('while_away')).toBe('201');
      api.others.answer(moduleSync, () => null);
      await eventually(
        async () =>
          (
            await api.box.database.query<unknown[]>(
              `SELECT FROM audit_log WHERE action = 'module.created' AND outcome = 'refused' AND reason = 'module_known_upstream'`,
            )
          ).length > 0,
        { what: 'the line of the refusal' },
      );
    });

    it('does not exist for other tenants, and two may use one name', async () => {
      const stranger = await api.person('administrator');
      for (const [method, body] of [['GET'], ['PATCH', { title: 'mine' }], ['DELETE']] as const)
        expect(told(await send(method, '/modules/town_hall', body, stranger.token))).toBe('404 not_found');
      expect(told(await send('POST', '/modules', { name: 'town_hall', title: 'Theirs' }, stranger.token))).toBe('201');
      expect((await send('GET', '/modules/town_hall', undefined, stranger.token)).body.data).toMatchObject({
        own: [{ title: 'Theirs', revision: 1 }],
      });
      // Who sees both means her own organization's, unless she says otherwise.
      expect((await send('PATCH', '/modules/town_hall', { title: 'x' })).body.data).toMatchObject({ revision: 4 });
    });

    it('is not what Drupal.org tells of: that can be changed by nobody', async () => {
      api.others.answer(moduleDetail, () => TOKEN);
      expect(told(await send('PATCH', '/modules/token', { title: 'x' }))).toBe('409 module_not_own');
      expect(told(await send('DELETE', '/modules/token'))).toBe('409 module_not_own');
      api.others.answer(moduleDetail, () => null);
    });

    it('is taken back, which is told too, and declared anew with a greater revision', async () => {
      const person = await api.person('administrator');
      const declare = () => send('POST', '/modules', { name: 'again', title: 'Again' }, person.token);
      expect((await declare()).body.data).toMatchObject({ revision: 1 });
      expect((await send('DELETE', '/modules/again', undefined, person.token)).status).toBe(204);
      expect(told(await send('GET', '/modules/again', undefined, person.token))).toBe('404 not_found');
      expect(told(await send('DELETE', '/modules/again', undefined, person.token))).toBe('404 not_found');
      // No name at all, and nothing that Postgres could be asked for.
      expect(told(await send('DELETE', '/modules/a%00', undefined, person.token))).toBe('404 not_found');
      expect((await declare()).body.data).toMatchObject({ revision: 3 });
    });

    it('is declared once by two who declare it at the same time', async () => {
      const person = await api.person('administrator');
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => send('POST', '/modules', { name: 'race', title: 'Race' }, person.token)),
      );
      expect(answers.map(told).sort()).toEqual(['201', ...Array<string>(3).fill('409 module_exists')]);
    });
  });
});
