import { randomUUID } from 'node:crypto';
import {
  dashboardOverview,
  listExposures,
  listSites,
  moduleDetail,
  patchProgress,
  reportingProgress,
  siteModules,
} from '#libs/contracts';
import { RpcError } from '#libs/streams';
import { eventually } from '#libs/testing';
import { addSite, gatewayInABox, logIn, request, type Box, type TestSite } from './gateway-in-a-box.js';
import { OtherServices } from './other-services.js';

interface Body {
  readonly code?: string;
  readonly errors?: { pointer: string; code: string }[];
  readonly data: never;
  readonly meta: Record<string, unknown>;
  readonly links: Record<string, string | null>;
}

const AS_OF = '2026-01-02T03:04:05.000Z';

describe('sites and answers', () => {
  let box: Box;
  let base: string;
  let token: string;
  let site: TestSite;
  const others = new OtherServices();
  beforeAll(async () => {
    box = await gatewayInABox();
    await others.start(box.cache.url);
    base = box.gateway.url;
    token = await logIn(base);
    site = await addSite(base, token);
  });
  afterAll(async () => {
    await others.stop();
    await box.close();
  });

  const get = (path: string, headers: Record<string, string> = {}, as = token) =>
    request<Body>(base, 'GET', path, { token: as, headers });
  const told = ({ status, body }: { status: number; body: Body }) =>
    `${status} ${body.code ?? ''}${(body.errors ?? []).map(({ code, pointer }) => ` ${code}:${pointer}`).join('')}`.trim();

  /** A person with a role in an organization of her own. */
  async function person(role: string | null, organizationId = 0): Promise<{ token: string; organizationId: number }> {
    const id =
      organizationId ||
      (
        await box.database.query<{ id: number }[]>(
          `INSERT INTO organizations (uuid, name, time_zone, created_at) VALUES ($1, 'Other agency', 'UTC', now()) RETURNING id`,
          [randomUUID()],
        )
      )[0]!.id;
    const email = `${randomUUID()}@agency.example`;
    const [user] = await box.database.query<{ id: number }[]>(
      `INSERT INTO users (uuid, email, name, password_hash, created_at) SELECT $1, $2, 'Person', password_hash, now() FROM users WHERE superuser RETURNING id`,
      [randomUUID(), email],
    );
    if (role !== null)
      await box.database.query(
        `INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES ($1, $2, $3, now())`,
        [id, user!.id, role],
      );
    await box.cacheLink.client.flushall();
    const { body } = await request<{ data: { access_token: string } }>(base, 'POST', '/api/v1/auth/login', {
      body: { email, password: 'correct horse battery staple' },
    });
    return { token: body.data.access_token, organizationId: id };
  }

  describe('a site', () => {
    it('is created with a key that is shown once, told to the others, and stands in the audit log', async () => {
      const reply = await request<{
        data: { site: { id: string; environment: string }; key: string };
        links: Record<string, string>;
      }>(base, 'POST', '/api/v1/sites', {
        token,
        body: { name: 'Zürich – Rathaus', url: 'https://example.org/a', environment: 'stage' },
      });
      expect(reply.status).toBe(201);
      const { site: created, key } = reply.body.data;
      expect(key).toMatch(/^pw_site_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$/);
      expect(reply.headers.get('cache-control')).toBe('private, no-store');
      const dump = await box.database.query<{ everything: string }[]>(
        `SELECT (SELECT json_agg(k)::text FROM api_keys k) || (SELECT json_agg(a)::text FROM audit_log a) || coalesce((SELECT json_agg(o)::text FROM outbox o), '') AS everything`,
      );
      expect(dump[0]!.everything).toContain(key.slice(8, 16));
      expect(dump[0]!.everything).not.toContain(key.slice(17));
      await eventually(
        async () => {
          const entries = await box.streams.client.xrange('pw:{reporting.identity.0}', '-', '+');
          return entries.some(([, fields]) => fields.join().includes(created.id) && fields.join().includes('Zürich'));
        },
        { what: 'the event of the new site' },
      );
      const [line] = await box.database.query<{ action: string; organization_id: number; detail: unknown }[]>(
        `SELECT action, organization_id, detail FROM audit_log WHERE subject = $1`,
        [`site:${created.id}`],
      );
      expect(line).toMatchObject({
        action: 'site.created',
        organization_id: 1,
        detail: { name: 'Zürich – Rathaus', key: key.slice(8, 16) },
      });
    });

    it.each<[string, unknown, string]>([
      ['nothing', {}, '400 validation_failed required:/name required:/url'],
      ['blank names', { name: ' \t', url: 'https://a.example' }, '400 validation_failed wrong_format:/name'],
      [
        'names with line breaks',
        { name: 'a\r\nX-Header: b', url: 'https://a.example' },
        '400 validation_failed wrong_format:/name',
      ],
      [
        'addresses of another kind',
        { name: 'a', url: 'javascript:alert(1)' },
        '400 validation_failed wrong_format:/url',
      ],
      [
        'addresses with a password',
        { name: 'a', url: 'https://u:p@a.example' },
        '400 validation_failed wrong_format:/url',
      ],
      [
        'environments that do not exist',
        { name: 'a', url: 'https://a.example', environment: 'live' },
        '400 validation_failed wrong_value:/environment',
      ],
      [
        'S53: members that are not the caller’s to set',
        { name: 'a', url: 'https://a.example', organization_id: 2, id: 3 },
        '400 validation_failed unknown_member:/organization_id unknown_member:/id',
      ],
      [
        'organizations of others',
        { name: 'a', url: 'https://a.example', organization: '00000000-0000-7000-8000-000000000000' },
        '400 validation_failed wrong_value:/organization',
      ],
      ['lists', [], '400 validation_failed wrong_type:'],
      ['no JSON', '{', '400 invalid_json'],
    ])('is not created from %s', async (_what, body, expected) => {
      expect(told(await request<Body>(base, 'POST', '/api/v1/sites', { token, body }))).toBe(expected);
    });

    it('has two live keys to push with at most, and keys for scripts beside them', async () => {
      const own = await addSite(base, token);
      const key = (body: unknown) =>
        request<Body>(base, 'POST', `/api/v1/sites/${own.uuid}/keys`, { token, body }).then(told);
      expect(await key({})).toBe('201');
      expect(await key({})).toBe('409 too_many_keys');
      expect(await key({ purpose: 'backfill', expires_in_hours: 24 })).toBe('201');
      expect(await key({ purpose: 'integration' })).toBe('400 validation_failed wrong_value:/purpose');
    });

    it('is there the moment it is created, though reporting has not heard of it', async () => {
      others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
      others.answer(siteModules, () => null);
      const reply = await get(`/api/v1/sites/${site.uuid}`);
      expect(reply.body.data).toMatchObject({
        id: site.uuid,
        name: 'Town hall',
        reporting: 'waiting',
        core_version: null,
      });
      expect((await get(`/api/v1/sites/${site.uuid}/modules`)).body).toMatchObject({
        data: [],
        meta: { total: 0, site: { id: site.uuid } },
      });
    });
  });

  describe('whoever is not of the organization (S52)', () => {
    it('gets 404 for its sites, whatever she tries, and never a word more', async () => {
      const stranger = await person('administrator');
      const unknown = randomUUID();
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['GET', '/modules', undefined],
        ['GET', `/pushes/${randomUUID()}`, undefined],
        ['POST', '/keys', {}],
        ['DELETE', '', undefined],
      ] as const) {
        const there = await request<Body>(base, method, `/api/v1/sites/${site.uuid}${path}`, {
          token: stranger.token,
          body,
        });
        const nowhere = await request<Body>(base, method, `/api/v1/sites/${unknown}${path}`, {
          token: stranger.token,
          body,
        });
        expect(told(there)).toBe('404 not_found');
        expect({ ...there.body, request_id: 0, instance: 0 }).toEqual({ ...nowhere.body, request_id: 0, instance: 0 });
      }
    });

    it('reads with her own scope only', async () => {
      const stranger = await person('developer');
      others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
      await get('/api/v1/sites', {}, stranger.token);
      expect(others.lastInput(listSites).scope).toEqual({ organization_ids: [stranger.organizationId] });
      await get('/api/v1/sites');
      expect(others.lastInput(listSites).scope).toEqual({ organization_ids: null });
      expect((await get('/api/v1/organizations', {}, stranger.token)).body.data).toMatchObject([
        { name: 'Other agency', role: 'developer' },
      ]);
    });

    it('who belongs to none sees nothing', async () => {
      const nobody = await person(null);
      others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
      await get('/api/v1/sites', {}, nobody.token);
      expect(others.lastInput(listSites).scope).toEqual({ organization_ids: [] });
      expect((await get('/api/v1/organizations', {}, nobody.token)).body.data).toEqual([]);
    });
  });

  it('roles decide who changes what: the matrix', async () => {
    const allowed: Record<string, [number, number, number]> = {
      administrator: [201, 201, 204],
      user: [201, 403, 403],
      developer: [403, 403, 403],
    };
    for (const [role, expected] of Object.entries(allowed)) {
      const { token: own, organizationId } = await person(role);
      const created = await request<{ data: { site: { id: string } } }>(base, 'POST', '/api/v1/sites', {
        token: own,
        body: { name: 'x', url: 'https://x.example' },
      });
      const [organization] = await box.database.query<{ uuid: string }[]>(
        'SELECT uuid FROM organizations WHERE id = $1',
        [organizationId],
      );
      const uuid =
        created.status === 201
          ? created.body.data.site.id
          : (
              await request<{ data: { site: { id: string } } }>(base, 'POST', '/api/v1/sites', {
                token,
                body: { name: 'x', url: 'https://x.example', organization: organization!.uuid },
              })
            ).body.data.site.id;
      const key = await request(base, 'POST', `/api/v1/sites/${uuid}/keys`, { token: own, body: {} });
      const removed = await request(base, 'DELETE', `/api/v1/sites/${uuid}`, { token: own });
      expect([role, created.status, key.status, removed.status]).toEqual([role, ...expected]);
    }
  });

  it('S48: a site’s key opens nothing but its pushes', async () => {
    const routes = [
      '/api/v1/sites',
      `/api/v1/sites/${site.uuid}`,
      `/api/v1/sites/${site.uuid}/modules`,
      '/api/v1/modules/views',
      '/api/v1/exposures',
      '/api/v1/exposures/export',
      '/api/v1/dashboard/overview',
      '/api/v1/dashboard/patch-progress',
      '/api/v1/organizations',
      '/api/v1/auth/me',
      '/api/v1/system/progress',
    ];
    for (const route of routes) {
      const reply = await request<Body>(base, 'GET', route, { key: site.key });
      expect([route, told(reply)]).toEqual([route, '403 forbidden']);
      expect([route, told(await request<Body>(base, 'GET', route))]).toEqual([route, '401 missing_credentials']);
    }
    expect(
      told(
        await request<Body>(base, 'POST', '/api/v1/sites', {
          key: site.key,
          body: { name: 'a', url: 'https://a.example' },
        }),
      ),
    ).toBe('403 forbidden');
    expect(told(await request<Body>(base, 'DELETE', `/api/v1/sites/${site.uuid}`, { key: site.key }))).toBe(
      '403 forbidden',
    );
  });

  describe('a list', () => {
    const rows = (count: number) => Array.from({ length: count }, (_, i) => exposure(i));
    const exposure = (i: number) => ({
      id: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
      site_id: site.uuid,
      site_name: i === 1 ? '=cmd|calc' : 'Town "hall", west',
      module: 'views',
      installed_version: '8.x-1.0',
      advisory: 'SA-CONTRIB-2026-001',
      advisory_title: null,
      advisory_url: null,
      fixed_in: ['8.x-1.1', '8.x-2.4'],
      risk: 'critical',
      published_at: AS_OF,
      opened_at: AS_OF,
      state: 'open',
      unknown_since: null,
      closed_at: null,
      closed_after: null,
      reason: null,
      closed_version: null,
      days: -1.5,
      recorded_at: AS_OF,
    });

    it('is paged, and links to its neighbours with the filters kept', async () => {
      others.answer(listExposures, () => ({ items: rows(2), meta: { total: 7, as_of: AS_OF }, next: null }));
      const { body, headers } = await get(
        `/api/v1/exposures?state=open,unknown&opened_at[gte]=2024-11-20&per_page=2&page=2`,
      );
      expect(body.meta).toEqual({
        request_id: expect.any(String),
        as_of: AS_OF,
        page: 2,
        per_page: 2,
        total: 7,
        total_pages: 4,
      });
      const at = (page: number) =>
        `/api/v1/exposures?state=open%2Cunknown&opened_at[gte]=2024-11-20&per_page=2&page=${page}`;
      expect(body.links).toMatchObject({ first: at(1), prev: at(1), next: at(3), last: at(4) });
      expect(headers.get('link')).toContain(`<${at(3)}>; rel="next"`);
      expect(others.lastInput(listExposures)).toMatchObject({
        state: ['open', 'unknown'],
        opened_from: '2024-11-20T00:00:00.000Z',
        page: 2,
        per_page: 2,
        sort: '-opened_at',
      });
      // The link works as it stands.
      expect((await get(body.links.next!)).body.meta.page).toBe(3);
    });

    it('ends with links to nowhere', async () => {
      others.answer(listExposures, () => ({ items: [], meta: { total: 0, as_of: AS_OF }, next: null }));
      const { body } = await get('/api/v1/exposures');
      expect(body.links).toMatchObject({ prev: null, next: null });
      expect(body.meta).toMatchObject({ page: 1, per_page: 25, total: 0, total_pages: 0 });
    });

    it.each([
      [
        '/api/v1/exposures?colour=red&shape=round',
        '400 unknown_parameter unknown_member:/colour unknown_member:/shape',
      ],
      ['/api/v1/exposures?__proto__=1', '400 unknown_parameter unknown_member:/__proto__'],
      ['/api/v1/exposures?opened_at[like]=1', '400 unknown_parameter unknown_member:/opened_at[like]'],
      ['/api/v1/exposures?per_page=101', '400 invalid_parameter out_of_range:/per_page'],
      ['/api/v1/exposures?per_page=0', '400 invalid_parameter out_of_range:/per_page'],
      ['/api/v1/exposures?page=1.5', '400 invalid_parameter wrong_type:/page'],
      ['/api/v1/exposures?page=1&page=2', '400 invalid_parameter wrong_type:/page'],
      ['/api/v1/exposures?state=open,closd', '400 invalid_parameter wrong_format:/state'],
      ['/api/v1/exposures?site=1', '400 invalid_parameter wrong_format:/site'],
      ['/api/v1/exposures?opened_at[gte]=yesterday', '400 invalid_parameter wrong_format:/opened_at[gte]'],
      ['/api/v1/exposures?open_at=2024-01-01&open_at=2025-01-01', '400 invalid_parameter wrong_format:/open_at'],
      ['/api/v1/exposures?sort=name', '400 invalid_parameter wrong_value:/sort'],
      ['/api/v1/exposures?format=xml', '400 invalid_parameter wrong_value:/format'],
      ['/api/v1/sites?q=%00', '400 invalid_parameter wrong_format:/q'],
      ['/api/v1/sites?exposed=maybe', '400 invalid_parameter wrong_value:/exposed'],
      [
        '/api/v1/dashboard/patch-progress?published_at[gte]=2024-01-01',
        '400 invalid_parameter required:/published_at[lt]',
      ],
      ['/api/v1/dashboard/overview?asof=2024-01-01', '400 unknown_parameter unknown_member:/asof'],
      ['/api/v1/organizations?x=1', '400 unknown_parameter unknown_member:/x'],
      ['/api/v1/nowhere', '404 not_found'],
      ['/api/v1/sites/%E0%A4%A', '400 bad_request'],
    ])('GET %s is refused by name', async (path, expected) => {
      expect(told(await get(path))).toBe(expected);
    });

    it('comes as a file: all pages by key, safe for spreadsheets', async () => {
      others.answer(listExposures, ({ after }: { after?: string }) =>
        after === undefined
          ? { items: rows(2), meta: { total: 3, as_of: AS_OF }, next: 'the-second' }
          : { items: [exposure(2)], meta: { total: 3, as_of: AS_OF }, next: null },
      );
      for (const path of [
        '/api/v1/exposures?format=csv&module=views',
        '/api/v1/exposures/export?format=csv&module=views',
        '/api/v1/exposures.csv?module=views',
      ]) {
        const response = await fetch(new URL(path, base), { headers: { authorization: `Bearer ${token}` } });
        expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
        expect(response.headers.get('content-disposition')).toMatch(
          /^attachment; filename="exposures-\d{4}-\d\d-\d\d\.csv"$/,
        );
        const bytes = Buffer.from(await response.arrayBuffer());
        expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
        const lines = bytes.toString().slice(1).split('\r\n');
        expect(lines).toHaveLength(5);
        expect(lines[0]).toMatch(/^id,site_id,site_name,module,/);
        expect(lines[1]).toContain(
          '"Town ""hall"", west",views,8.x-1.0,SA-CONTRIB-2026-001,,,8.x-1.1 8.x-2.4,critical,',
        );
        expect(lines[1]).toMatch(/,-1\.5$/);
        expect(lines[2]).toContain(`,'=cmd|calc,`);
        expect(others.lastInput(listExposures)).toMatchObject({
          after: 'the-second',
          module: ['views'],
          per_page: 1000,
        });
      }
    });

    it('as a file is a problem document when it fails at once, and is cut off when it fails half-way', async () => {
      others.answer(listExposures, () => {
        throw new RpcError('unavailable', 'no', 503);
      });
      expect(told(await get('/api/v1/exposures.csv'))).toBe('503 unavailable');
      others.answer(listExposures, ({ after }: { after?: string }) => {
        if (after !== undefined) throw new RpcError('unavailable', 'no', 503);
        return { items: rows(2), meta: { total: 3, as_of: AS_OF }, next: 'x' };
      });
      await expect(
        fetch(new URL('/api/v1/exposures.csv', base), { headers: { authorization: `Bearer ${token}` } }).then(
          (response) => response.text(),
        ),
      ).rejects.toThrow();
    });
  });

  it('reads carry an ETag that changes with the data and with nothing else', async () => {
    let total = 1;
    others.answer(listSites, () => ({ items: [], meta: { total, as_of: new Date().toISOString() } }));
    const first = await get('/api/v1/sites');
    const tag = first.headers.get('etag')!;
    expect(tag).toMatch(/^"[\w-]{27}"$/);
    const second = await get('/api/v1/sites', { 'if-none-match': `"other", ${tag}` });
    expect([second.status, second.body, second.headers.get('etag')]).toEqual([304, '', tag]);
    total = 2;
    expect((await get('/api/v1/sites', { 'if-none-match': tag })).status).toBe(200);
  });

  it('the dashboard, the modules and the progress are what reporting answers', async () => {
    const distribution = { count: 0, median: null, p90: null, mean: null, within_a_day: null, within_a_week: null };
    others.answer(dashboardOverview, () => ({
      as_of: AS_OF,
      sites: { total: 3, exposed: 1, reporting: 2, silent: 1, waiting: 0 },
      modules: { distinct: 1, installed: 2, updates: null, security_updates: null, unknown: null },
      exposures: {
        open: 1,
        open_by_risk: { critical: 1 },
        open_site_modules: 1,
        unknown: 0,
        opened_last_30_days: 1,
        closed_last_30_days: 0,
        oldest_open_at: AS_OF,
        open_age_days: distribution,
      },
      time_to_patch_days: distribution,
      site_days_exposed_90: 1.5,
      worst_sites: [],
      latest_advisories: [],
    }));
    const overview = await get('/api/v1/dashboard/overview?as_of=2018-03-29');
    expect(overview.body).toMatchObject({
      data: { sites: { exposed: 1 } },
      meta: { as_of: AS_OF },
      links: { exposures: `/api/v1/exposures?open_at=${AS_OF}` },
    });
    expect(others.lastInput(dashboardOverview)).toMatchObject({ as_of: '2018-03-29T00:00:00.000Z' });

    others.answer(patchProgress, () => ({
      advisories: [],
      sites_watched: 1,
      sites_exposed: 1,
      sites_patched: 0,
      sites_still_open: 1,
      days_to_patch: distribution,
    }));
    await get(
      '/api/v1/dashboard/patch-progress?published_at[gte]=2018-03-28&published_at[lt]=2018-03-29&module=drupal',
    );
    expect(others.lastInput(patchProgress)).toMatchObject({
      published_from: '2018-03-28T00:00:00.000Z',
      published_before: '2018-03-29T00:00:00.000Z',
      module: 'drupal',
    });

    others.answer(moduleDetail, () => null);
    expect(told(await get('/api/v1/modules/unheard_of'))).toBe('404 not_found');
    expect(told(await get('/api/v1/modules/..%2F..%2Fetc'))).toBe('404 not_found');

    others.answer(reportingProgress, () => ({
      sites: 1,
      modules_without_history: 0,
      inventories_applied: 0,
      advisories: 0,
    }));
    expect((await get('/api/v1/system/progress')).body.data).toMatchObject({ sites: 1, queued: expect.any(Number) });
    const member = await person('administrator');
    expect(told(await get('/api/v1/system/progress', {}, member.token))).toBe('403 forbidden');
  });

  it('S81: what fails inside is told by nothing but the request id', async () => {
    others.answer(listSites, () => {
      throw new Error('relation "sites" does not exist at /srv/app/reporting.js');
    });
    const failed = await get('/api/v1/sites');
    expect(failed.status).toBe(500);
    expect(JSON.stringify(failed.body)).not.toMatch(/relation|srv|stack|Error:/);
    expect(failed.body).toMatchObject({ code: 'internal_error', request_id: failed.headers.get('x-request-id') });
  });

  it('a service that does not answer is 503 with a time to come back', async () => {
    const replica = await box.replica();
    await others.stop();
    const reply = await request<Body>(replica.url, 'GET', '/api/v1/sites', { token });
    expect(told(reply)).toBe('503 unavailable');
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  describe('everywhere', () => {
    it('headers keep browsers from guessing, framing and caching', async () => {
      for (const path of ['/api/v1/auth/me', '/api/v1/nowhere', '/readyz', '/docs', '/docs/errors']) {
        const { headers } = await get(path);
        expect([
          path,
          headers.get('x-content-type-options'),
          headers.get('content-security-policy')?.includes("frame-ancestors 'none'"),
        ]).toEqual([path, 'nosniff', true]);
        expect(headers.get('strict-transport-security')).toContain('max-age=31536000');
        expect(headers.get('access-control-allow-origin')).toBeNull();
      }
    });

    it('a preflight of another origin is not answered: CORS is off', async () => {
      const reply = await request(base, 'OPTIONS', '/api/v1/sites', {
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      });
      expect(reply.status).toBe(404);
      expect(reply.headers.get('access-control-allow-origin')).toBeNull();
    });

    it('/ leads to the description, which is OpenAPI 3.1 and knows every route', async () => {
      const root = await request(base, 'GET', '/');
      expect([root.status, root.headers.get('location')]).toEqual([302, '/docs']);
      expect(String((await request(base, 'GET', '/docs')).body)).toContain('swagger');
      const { body } = await request<{
        openapi: string;
        paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      }>(base, 'GET', '/docs/openapi.json');
      expect(body.openapi).toBe('3.1.0');
      const operations = Object.entries(body.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method} ${path}`),
      );
      expect(operations.sort()).toEqual([
        'delete /api/v1/sites/{siteUuid}',
        'get /api/v1/auth/me',
        'get /api/v1/dashboard/overview',
        'get /api/v1/dashboard/patch-progress',
        'get /api/v1/exposures',
        'get /api/v1/exposures.csv',
        'get /api/v1/exposures/export',
        'get /api/v1/modules/{name}',
        'get /api/v1/organizations',
        'get /api/v1/sites',
        'get /api/v1/sites/{siteUuid}',
        'get /api/v1/sites/{siteUuid}/modules',
        'get /api/v1/sites/{siteUuid}/pushes/{pushId}',
        'get /api/v1/system/progress',
        'post /api/v1/auth/login',
        'post /api/v1/sites',
        'post /api/v1/sites/{siteUuid}/keys',
        'post /api/v1/sites/{siteUuid}/modules/sync',
      ]);
      for (const [path, methods] of Object.entries(body.paths))
        for (const operation of Object.values(methods))
          expect([path, Object.keys(operation.responses)]).toEqual([
            path,
            expect.arrayContaining(['401', '500', '503']),
          ]);
      expect(String((await request(base, 'GET', '/docs/errors')).body)).toContain('id="inventory_hash_unknown"');
    });

    it('/metrics tells of pushes', async () => {
      expect(String((await request(base, 'GET', '/metrics')).body)).toContain('patchwatch_push_accept_seconds');
    });
  });
});
