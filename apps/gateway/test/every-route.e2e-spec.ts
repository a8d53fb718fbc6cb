import { apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { request } from './gateway-in-a-box.js';

describe('every route', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox();
  });
  afterAll(() => api.close());

  it('S48: a site’s key opens nothing but its pushes', async () => {
    const routes = [
      '/api/v1/sites',
      `/api/v1/sites/${api.site.uuid}`,
      `/api/v1/sites/${api.site.uuid}/modules`,
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
      const reply = await request<Body>(api.base, 'GET', route, { key: api.site.key });
      expect([route, told(reply)]).toEqual([route, '403 forbidden']);
      expect([route, told(await request<Body>(api.base, 'GET', route))]).toEqual([route, '401 missing_credentials']);
    }
    expect(
      told(
        await request<Body>(api.base, 'POST', '/api/v1/sites', {
          key: api.site.key,
          body: { name: 'a', url: 'https://a.example' },
        }),
      ),
    ).toBe('403 forbidden');
    expect(told(await request<Body>(api.base, 'DELETE', `/api/v1/sites/${api.site.uuid}`, { key: api.site.key }))).toBe(
      '403 forbidden',
    );
  });

  describe('everywhere', () => {
    it('headers keep browsers from guessing, framing and caching', async () => {
      for (const path of ['/api/v1/auth/me', '/api/v1/nowhere', '/readyz', '/docs', '/docs/errors']) {
        const { headers } = await api.get(path);
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
      const reply = await request(api.base, 'OPTIONS', '/api/v1/sites', {
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      });
      expect(reply.status).toBe(404);
      expect(reply.headers.get('access-control-allow-origin')).toBeNull();
    });

    it('/ leads to the description, which is OpenAPI 3.1 and knows every route', async () => {
      const root = await request(api.base, 'GET', '/');
      expect([root.status, root.headers.get('location')]).toEqual([302, '/docs']);
      expect((await request<string>(api.base, 'GET', '/docs')).body).toContain('swagger');
      const { body } = await request<{
        openapi: string;
        paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      }>(api.base, 'GET', '/docs/openapi.json');
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
      expect((await request<string>(api.base, 'GET', '/docs/errors')).body).toContain('id="inventory_hash_unknown"');
    });

    it('/metrics tells of pushes', async () => {
      expect((await request<string>(api.base, 'GET', '/metrics')).body).toContain('patchwatch_push_accept_seconds');
    });
  });

  it('a service that does not answer is 503 with a time to come back', async () => {
    const replica = await api.box.replica();
    await api.others.stop();
    const reply = await request<Body>(replica.url, 'GET', '/api/v1/sites', { token: api.token });
    expect(told(reply)).toBe('503 unavailable');
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
