import {
  dashboardOverview,
  listExposures,
  listSites,
  moduleDetail,
  patchProgress,
  reportingProgress,
} from '#libs/contracts';
import { RpcError, TaggedAnswer, UNCHANGED } from '#libs/streams';
import { AS_OF, apiInABox, told, type Api } from './api-in-a-box.js';

describe('reading answers', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox();
  });
  afterAll(() => api.close());

  describe('a list', () => {
    const rows = (count: number) => Array.from({ length: count }, (_, i) => exposure(i));
    const exposure = (i: number) => ({
      id: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
      site_id: api.site.uuid,
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
      current_version: '8.x-1.0',
      unknown_reason: null,
      drupal_mark: 'not_insecure',
      advisory_range: 'affected',
      sources_differ: true,
      days: -1.5,
      recorded_at: AS_OF,
    });

    it('is paged, and links to its neighbours with the filters kept', async () => {
      api.others.answer(listExposures, () => ({ items: rows(2), meta: { total: 7, as_of: AS_OF }, next: null }));
      const { body, headers } = await api.get(
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
      expect(api.others.lastInput(listExposures)).toMatchObject({
        state: ['open', 'unknown'],
        opened_from: '2024-11-20T00:00:00.000Z',
        page: 2,
        per_page: 2,
        sort: '-opened_at',
      });
      // The link works as it stands.
      expect((await api.get(body.links.next!)).body.meta.page).toBe(3);
    });

    it('shows what is kept, byte for byte, as of the moment in which its owner said that it is right, and nothing when he does not answer', async () => {
      const page = { items: rows(2), meta: { total: 2, as_of: AS_OF }, next: null };
      const ask = () => api.get('/api/v1/exposures?per_page=2&reason=removed');
      api.others.answer(listExposures, () => new TaggedAnswer('t1', AS_OF, page));
      const first = await ask();
      const later = '2026-11-21T12:00:00.000Z';
      api.others.answer(listExposures, () => new TaggedAnswer('t1', later, UNCHANGED));
      const second = await ask();
      expect(second.body.data).toEqual(first.body.data);
      expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
      expect([first.body.meta.as_of, second.body.meta.as_of]).toEqual([AS_OF, later]);
      api.others.answer(listExposures, () => new TaggedAnswer('t2', later, { ...page, items: rows(1) }));
      expect((await ask()).body.data).toHaveLength(1);
      api.others.answer(listExposures, () => {
        throw new RpcError('unavailable', 'the database is away', 503);
      });
      expect((await ask()).status).toBe(503);
    });

    it('ends with links to nowhere', async () => {
      api.others.answer(listExposures, () => ({ items: [], meta: { total: 0, as_of: AS_OF }, next: null }));
      const { body } = await api.get('/api/v1/exposures');
      expect(body.links).toMatchObject({ prev: null, next: null });
      expect(body.meta).toMatchObject({ page: 1, per_page: 25, total: 0, total_pages: 0 });
    });

    it.each([
      [
        '/api/v1/exposures?colour=red&shape=round',
        '400 unknown_parameter unknown_member:/colour unknown_member:/shape',
      ],
      ['/api/v1/exposures?__proto__=1', '400 unknown_parameter unknown_member:/__proto__'],
      ['/api/v1/exposures?toString=1', '400 unknown_parameter unknown_member:/toString'],
      ['/api/v1/sites?constructor=1', '400 unknown_parameter unknown_member:/constructor'],
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
      ['/api/v1/modules?installed=perhaps', '400 invalid_parameter wrong_value:/installed'],
      ['/api/v1/modules?kind=theme', '400 unknown_parameter unknown_member:/kind'],
      ['/api/v1/modules?type=theme,plugin', '400 invalid_parameter wrong_format:/type'],
      ['/api/v1/modules?sort=standing', '400 invalid_parameter wrong_value:/sort'],
      ['/api/v1/modules/views?sort=version', '400 invalid_parameter wrong_value:/sort'],
      ['/api/v1/modules/views/versions?format=csv', '400 unknown_parameter unknown_member:/format'],
      ['/api/v1/advisories?risk=dire', '400 invalid_parameter wrong_format:/risk'],
      ['/api/v1/advisories?year=2024', '400 unknown_parameter unknown_member:/year'],
      ['/api/v1/advisories?sort=-title', '400 invalid_parameter wrong_value:/sort'],
      ['/api/v1/advisories/SA-CORE-2024-001?x=1', '400 unknown_parameter unknown_member:/x'],
      ['/api/v1/advisories/SA-CORE-2024-001/sites?verdict=safe', '400 invalid_parameter wrong_format:/verdict'],
      ['/api/v1/advisories/SA%20CORE', '404 not_found'],
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
      expect(told(await api.get(path))).toBe(expected);
    });

    it('comes as a file: all pages by key, safe for spreadsheets', async () => {
      api.others.answer(listExposures, ({ after }: { after?: string }) =>
        after === undefined
          ? { items: rows(2), meta: { total: 3, as_of: AS_OF }, next: 'the-second' }
          : { items: [exposure(2)], meta: { total: 3, as_of: AS_OF }, next: null },
      );
      for (const path of [
        '/api/v1/exposures?format=csv&module=views',
        '/api/v1/exposures/export?format=csv&module=views',
        '/api/v1/exposures.csv?module=views',
      ]) {
        const response = await fetch(new URL(path, api.base), { headers: { authorization: `Bearer ${api.token}` } });
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
        expect(lines[1]).toMatch(/,-1\.5,8\.x-1\.0,,not_insecure,affected,true$/);
        expect(lines[2]).toContain(`,'=cmd|calc,`);
        expect(api.others.lastInput(listExposures)).toMatchObject({
          after: 'the-second',
          module: ['views'],
          per_page: 1000,
        });
      }
    });

    it('as a file is a problem document when it fails at once, and is cut off when it fails half-way', async () => {
      api.others.answer(listExposures, () => {
        throw new RpcError('unavailable', 'no', 503);
      });
      expect(told(await api.get('/api/v1/exposures.csv'))).toBe('503 unavailable');
      api.others.answer(listExposures, ({ after }: { after?: string }) => {
        if (after !== undefined) throw new RpcError('unavailable', 'no', 503);
        return { items: rows(2), meta: { total: 3, as_of: AS_OF }, next: 'x' };
      });
      await expect(
        fetch(new URL('/api/v1/exposures.csv', api.base), { headers: { authorization: `Bearer ${api.token}` } }).then(
          (response) => response.text(),
        ),
      ).rejects.toThrow();
    });
  });

  it('reads carry an ETag that changes with the data and with nothing else', async () => {
    let total = 1;
    api.others.answer(listSites, () => ({ items: [], meta: { total, as_of: new Date().toISOString() } }));
    const first = await api.get('/api/v1/sites');
    const tag = first.headers.get('etag')!;
    expect(tag).toMatch(/^"[\w-]{27}"$/);
    const second = await api.get('/api/v1/sites', { 'if-none-match': `"other", ${tag}` });
    expect([second.status, second.body, second.headers.get('etag')]).toEqual([304, '', tag]);
    total = 2;
    expect((await api.get('/api/v1/sites', { 'if-none-match': tag })).status).toBe(200);
  });

  it('the dashboard, the modules and the progress are what reporting answers', async () => {
    const distribution = { count: 0, median: null, p90: null, mean: null, within_a_day: null, within_a_week: null };
    let asOf = AS_OF;
    api.others.answer(dashboardOverview, () => ({
      as_of: asOf,
      sites: { total: 3, exposed: 1, reporting: 2, silent: 1, waiting: 0, quarantined: null },
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
    const overview = await api.get('/api/v1/dashboard/overview?as_of=2018-03-29');
    expect(overview.body).toMatchObject({
      data: { sites: { exposed: 1 } },
      meta: { as_of: AS_OF },
      links: { exposures: `/api/v1/exposures?open_at=${AS_OF}` },
    });
    expect(api.others.lastInput(dashboardOverview)).toMatchObject({ as_of: '2018-03-29T00:00:00.000Z' });
    const now = await api.get('/api/v1/dashboard/overview');
    expect(now.body).toMatchObject({ links: { exposures: '/api/v1/exposures?state=open' } });
    const tag = now.headers.get('etag')!;
    asOf = '2026-11-02T00:00:00.000Z';
    expect((await api.get('/api/v1/dashboard/overview', { 'if-none-match': tag })).status).toBe(304);

    api.others.answer(patchProgress, () => ({
      advisories: [],
      sites_watched: 1,
      sites_exposed: 1,
      sites_patched: 0,
      sites_still_open: 1,
      days_to_patch: distribution,
    }));
    await api.get(
      '/api/v1/dashboard/patch-progress?published_at[gte]=2018-03-28&published_at[lt]=2018-03-29&module=drupal',
    );
    expect(api.others.lastInput(patchProgress)).toMatchObject({
      published_from: '2018-03-28T00:00:00.000Z',
      published_before: '2018-03-29T00:00:00.000Z',
      module: 'drupal',
    });

    api.others.answer(moduleDetail, () => null);
    expect(told(await api.get('/api/v1/modules/unheard_of'))).toBe('404 not_found');
    expect(told(await api.get('/api/v1/modules/..%2F..%2Fetc'))).toBe('404 not_found');

    api.others.answer(reportingProgress, () => ({
      sites: 1,
      modules_without_history: 0,
      inventories_applied: 0,
      advisories: 0,
    }));
    expect((await api.get('/api/v1/system/progress')).body.data).toMatchObject({
      sites: 1,
      queued: expect.any(Number),
    });
    const member = await api.person('administrator');
    expect(told(await api.get('/api/v1/system/progress', {}, member.token))).toBe('403 forbidden');
  });

  it('S81: what fails inside is told by nothing but the request id', async () => {
    api.others.answer(listSites, () => {
      throw new Error('relation "sites" does not exist at /srv/app/reporting.js');
    });
    const failed = await api.get('/api/v1/sites');
    expect(failed.status).toBe(500);
    expect(JSON.stringify(failed.body)).not.toMatch(/relation|srv|stack|Error:/);
    expect(failed.body).toMatchObject({ code: 'internal_error', request_id: failed.headers.get('x-request-id') });
  });
});
