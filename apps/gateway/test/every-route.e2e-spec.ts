import { randomUUID } from 'node:crypto';
import {
  advisoryDetail,
  advisorySites,
  customModules,
  dashboardOverview,
  exportData,
  listAdvisories,
  listExposures,
  listModules,
  listSites,
  moduleDetail,
  moduleSync,
  moduleVersions,
  pushReceipt,
  reportingProgress,
  siteModules,
} from '#libs/contracts';
import { RpcError } from '#libs/streams';
import { KEY_SCOPES } from '../src/integration-key/key-scopes.js';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { inventory, logIn, PASSWORD, request } from './gateway-in-a-box.js';

describe('every route', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox();
  });
  afterAll(() => api.close());

  /**
   * S51. For each route: what nobody, a site's key, a stranger's administrator, a developer and an administrator of the organization, a superuser
   * and an integration key of the organization with every scope get.
   * Bodies are right and rows exist, so that only the permission decides. A route without a row fails below.
   */
  const MATRIX: Record<string, readonly [number, number, number, number, number, number, number]> = {
    'post /api/v1/auth/login': [400, 400, 400, 400, 400, 400, 400],
    'get /api/v1/auth/me': [401, 403, 200, 200, 200, 200, 403],
    'get /api/v1/organizations': [401, 403, 200, 200, 200, 200, 403],
    'post /api/v1/organizations': [401, 403, 403, 403, 403, 201, 403],
    'get /api/v1/organizations/{organizationId}': [401, 403, 404, 200, 200, 200, 403],
    'patch /api/v1/organizations/{organizationId}': [401, 403, 404, 403, 200, 200, 403],
    'get /api/v1/organizations/{organizationId}/revisions': [401, 403, 404, 403, 200, 200, 403],
    'get /api/v1/organizations/{organizationId}/members': [401, 403, 404, 200, 200, 200, 403],
    'get /api/v1/organizations/{organizationId}/members/{userId}': [401, 403, 404, 200, 200, 200, 403],
    'patch /api/v1/organizations/{organizationId}/members/{userId}': [401, 403, 404, 403, 204, 204, 403],
    'delete /api/v1/organizations/{organizationId}/members/{userId}': [401, 403, 404, 403, 204, 204, 403],
    'delete /api/v1/organizations/{organizationId}/members/{userId}/sessions': [401, 403, 404, 403, 204, 204, 403],
    'post /api/v1/organizations/{organizationId}/members/{userId}/password-reset': [401, 403, 404, 403, 202, 202, 403],
    'get /api/v1/organizations/{organizationId}/invitations': [401, 403, 404, 403, 200, 200, 403],
    'post /api/v1/organizations/{organizationId}/invitations': [401, 403, 404, 403, 201, 201, 403],
    'delete /api/v1/organizations/{organizationId}/invitations/{invitationId}': [401, 403, 404, 403, 404, 404, 403],
    'get /api/v1/organizations/{organizationId}/integration-keys': [401, 403, 404, 403, 200, 200, 403],
    'post /api/v1/organizations/{organizationId}/integration-keys': [401, 403, 404, 403, 201, 201, 403],
    'post /api/v1/organizations/{organizationId}/integration-keys/{keyId}/rotate': [401, 403, 404, 403, 404, 404, 403],
    'delete /api/v1/organizations/{organizationId}/integration-keys/{keyId}': [401, 403, 404, 403, 404, 404, 403],
    'get /api/v1/organizations/{organizationId}/enrolment-keys': [401, 403, 404, 403, 200, 200, 403],
    'post /api/v1/organizations/{organizationId}/enrolment-keys': [401, 403, 404, 403, 201, 201, 403],
    'delete /api/v1/organizations/{organizationId}/enrolment-keys/{keyId}': [401, 403, 404, 403, 404, 404, 403],
    'post /api/v1/enrolments': [401, 403, 403, 403, 403, 403, 403],
    'get /api/v1/plans': [401, 403, 200, 200, 200, 200, 403],
    // There is one of that code already.
    'post /api/v1/plans': [401, 403, 403, 403, 403, 409, 403],
    'get /api/v1/plans/{planCode}': [401, 403, 200, 200, 200, 200, 403],
    'patch /api/v1/plans/{planCode}': [401, 403, 403, 403, 403, 200, 403],
    // The default stays.
    'delete /api/v1/plans/{planCode}': [401, 403, 403, 403, 403, 409, 403],
    'get /api/v1/audit': [401, 403, 200, 403, 200, 200, 200],
    'get /api/v1/users': [401, 403, 403, 403, 403, 200, 403],
    'get /api/v1/users/{userId}': [401, 403, 403, 403, 403, 200, 403],
    'patch /api/v1/users/{userId}': [401, 403, 403, 403, 403, 200, 403],
    'patch /api/v1/auth/me': [401, 403, 200, 200, 200, 200, 403],
    'get /api/v1/sites': [401, 403, 200, 200, 200, 200, 200],
    'post /api/v1/sites': [401, 403, 201, 403, 201, 201, 201],
    'get /api/v1/sites/{siteUuid}': [401, 403, 404, 200, 200, 200, 200],
    'get /api/v1/sites/{siteUuid}/modules': [401, 403, 404, 200, 200, 200, 200],
    'patch /api/v1/sites/{siteUuid}': [401, 403, 404, 403, 200, 200, 200],
    // Of a site that is not held.
    'post /api/v1/sites/{siteUuid}/quarantine': [401, 403, 404, 403, 200, 200, 200],
    'post /api/v1/sites/{siteUuid}/quarantine/release': [401, 403, 404, 403, 409, 409, 409],
    'get /api/v1/removed-sites': [401, 403, 200, 200, 200, 200, 403],
    'post /api/v1/removed-sites/{siteUuid}/restore': [401, 403, 404, 404, 404, 404, 403],
    'get /api/v1/organizations/{organizationId}/export': [401, 403, 404, 403, 200, 200, 403],
    // Of another member.
    'get /api/v1/users/{userId}/export': [401, 403, 403, 403, 403, 200, 403],
    'get /api/v1/erasures': [401, 403, 403, 403, 403, 200, 403],
    // Of nobody: what it does, another test sees.
    'post /api/v1/erasures': [401, 403, 403, 403, 403, 404, 403],
    'get /api/v1/erasures/{erasureId}': [401, 403, 404, 404, 404, 404, 403],
    'get /api/v1/sites/{siteUuid}/organizations': [401, 403, 404, 403, 200, 200, 403],
    // With its own organization, and not shared with it.
    'put /api/v1/sites/{siteUuid}/organizations/{organizationId}': [401, 403, 404, 403, 400, 400, 403],
    'delete /api/v1/sites/{siteUuid}/organizations/{organizationId}': [401, 403, 404, 403, 404, 404, 403],
    'get /api/v1/sites/{siteUuid}/keys': [401, 403, 404, 403, 200, 200, 403],
    'delete /api/v1/sites/{siteUuid}/keys/{keyId}': [401, 403, 404, 403, 204, 204, 403],
    'post /api/v1/sites/{siteUuid}/keys': [401, 403, 404, 403, 201, 201, 403],
    'get /api/v1/sites/{siteUuid}/pushes/{pushId}': [401, 200, 404, 200, 200, 200, 200],
    'post /api/v1/sites/{siteUuid}/modules/sync': [401, 202, 401, 401, 401, 401, 401],
    'get /api/v1/modules': [401, 403, 200, 200, 200, 200, 200],
    'post /api/v1/modules': [401, 403, 201, 403, 201, 201, 201],
    'get /api/v1/modules/{name}': [401, 403, 404, 200, 200, 200, 200],
    'patch /api/v1/modules/{name}': [401, 403, 404, 403, 200, 200, 200],
    'delete /api/v1/modules/{name}': [401, 403, 404, 403, 204, 204, 403],
    'get /api/v1/modules/{name}/versions': [401, 403, 404, 200, 200, 200, 200],
    'get /api/v1/advisories': [401, 403, 200, 200, 200, 200, 200],
    'get /api/v1/advisories/{advisory}': [401, 403, 404, 404, 404, 404, 404],
    'get /api/v1/advisories/{advisory}/sites': [401, 403, 404, 404, 404, 404, 404],
    'get /api/v1/exposures': [401, 403, 200, 200, 200, 200, 200],
    'get /api/v1/exposures/export': [401, 403, 200, 200, 200, 200, 200],
    'get /api/v1/exposures.csv': [401, 403, 200, 200, 200, 200, 200],
    'get /api/v1/dashboard/overview': [401, 403, 503, 503, 503, 503, 503],
    'get /api/v1/dashboard/patch-progress': [401, 403, 400, 400, 400, 400, 400],
    'get /api/v1/system/progress': [401, 403, 403, 403, 403, 200, 403],
    'post /api/v1/auth/refresh': [401, 401, 401, 401, 401, 401, 401],
    'post /api/v1/auth/step-up': [401, 403, 204, 204, 204, 204, 403],
    'post /api/v1/auth/password': [401, 403, 204, 204, 204, 204, 403],
    'get /api/v1/auth/sessions': [401, 403, 200, 200, 200, 200, 403],
    'delete /api/v1/auth/sessions': [401, 403, 204, 204, 204, 204, 403],
    'delete /api/v1/auth/sessions/{sessionId}': [401, 403, 404, 404, 404, 404, 403],
    'post /api/v1/auth/invitation': [403, 403, 403, 403, 403, 403, 403],
    'post /api/v1/auth/password-reset': [202, 202, 202, 202, 202, 202, 202],
    'post /api/v1/auth/password-reset/confirm': [403, 403, 403, 403, 403, 403, 403],
    'post /api/v1/auth/second-factor': [401, 401, 401, 401, 401, 401, 401],
    'get /api/v1/auth/two-factor': [401, 403, 200, 200, 200, 200, 403],
    'post /api/v1/auth/two-factor': [401, 403, 201, 201, 201, 201, 403],
    'post /api/v1/auth/two-factor/confirm': [401, 403, 403, 403, 403, 403, 403],
    'post /api/v1/auth/two-factor/backup-codes': [401, 403, 409, 409, 409, 409, 403],
    'delete /api/v1/auth/two-factor': [401, 403, 409, 409, 409, 409, 403],
    // Afterwards the site is gone.
    'delete /api/v1/sites/{siteUuid}': [401, 403, 404, 403, 204, 204, 403],
    // Nearly last: afterwards the organization is gone, and then back.
    'delete /api/v1/organizations/{organizationId}': [401, 403, 404, 403, 403, 204, 401],
    'post /api/v1/organizations/{organizationId}/restore': [401, 403, 403, 403, 403, 200, 403],
    // Last: afterwards nobody is logged in.
    'post /api/v1/auth/logout': [401, 403, 204, 204, 204, 204, 403],
  };

  it('S48, S51, S52: gives each kind of asker what the matrix says, and no route is without a row', async () => {
    const { others, base } = api;
    const empty = { items: [], meta: { total: 0, as_of: AS_OF } };
    others.answer(listSites, () => empty);
    others.answer(siteModules, () => null);
    others.answer(moduleDetail, () => null);
    others.answer(moduleVersions, () => null);
    others.answer(moduleSync, () => null);
    others.answer(customModules, () => ({ items: [] }));
    others.answer(advisoryDetail, () => null);
    others.answer(advisorySites, () => null);
    for (const list of [listModules, listAdvisories, listExposures])
      others.answer(list, () => ({ ...empty, next: null }));
    others.answer(reportingProgress, () => ({
      sites: 0,
      modules_without_history: 0,
      inventories_applied: 0,
      advisories: 0,
    }));
    others.answer(pushReceipt, () => null);
    for (const part of Object.values(exportData)) others.answer(part, () => ({ rows: [], next: null }));
    others.answer(dashboardOverview, () => {
      throw new RpcError('unavailable', 'not here', 503);
    });
    const stranger = await api.person('administrator');
    const developer = await api.person('developer');
    const administrator = await api.person('administrator', developer.organizationId);
    const [organization] = await api.box.database.query<{ uuid: string }[]>(
      'SELECT uuid FROM organizations WHERE id = $1',
      [developer.organizationId],
    );
    const newSite = async () => {
      const created = await request<{ data: { site: { id: string }; key: string } }>(base, 'POST', '/api/v1/sites', {
        token: api.token,
        body: { name: 'x', url: 'https://x.example', organization: organization!.uuid },
      });
      return created.body.data;
    };
    const made = await request<{ data: { key: string } }>(
      base,
      'POST',
      `/api/v1/organizations/${organization!.uuid}/integration-keys`,
      { token: administrator.token, body: { name: 'Everything', scopes: KEY_SCOPES } },
    );
    const program = made.body.data.key;
    const seen: Record<string, number[]> = {};
    for (const route of Object.keys(MATRIX)) {
      const [method, template] = route.split(' ') as [string, string];
      seen[route] = [];
      for (let asker = 0; asker < 7; asker++) {
        // A site of the developer's and the administrator's organization, anew for each where the route has one: some askers remove it.
        const { site, key } = template.includes('{siteUuid}')
          ? await newSite()
          : { site: { id: api.site.uuid }, key: api.site.key };
        // And a module of its own, and another member, anew as well.
        const ownModule = `own_${route.replaceAll(/\W/g, '_')}_${asker}`;
        if (template.includes('{name}'))
          await request(base, 'POST', '/api/v1/modules', {
            token: api.token,
            body: { name: ownModule, title: 'Own', organization: organization!.uuid },
          });
        const member = template.includes('{userId}') ? await api.member('user', developer.organizationId) : '';
        const pushed = template.includes('{pushId}')
          ? await request(base, 'POST', `/api/v1/sites/${site.id}/modules/sync`, { key, body: inventory(site.id) })
          : null;
        const askers = [
          {},
          { key },
          { token: stranger.token },
          { token: developer.token },
          { token: administrator.token },
          { token: api.token },
          { key: program },
        ];
        const path = template
          .replace('{siteUuid}', site.id)
          .replace('{pushId}', String(pushed?.body.data.push_id))
          .replace('{name}', ownModule)
          .replace('{organizationId}', organization!.uuid)
          .replace('{userId}', member)
          .replace('{sessionId}', site.id)
          .replace('{keyId}', key.slice(8, 16))
          .replace('{invitationId}', site.id)
          .replace('{erasureId}', site.id)
          .replace('{planCode}', 'premium')
          .replace('{advisory}', 'SA-CORE-2026-001');
        const bodies: Record<string, unknown> = {
          'post /api/v1/auth/login': {},
          'post /api/v1/erasures': { subject: 'user', id: site.id },
          'post /api/v1/auth/refresh': {},
          'post /api/v1/organizations/{organizationId}/invitations': { email: 'new@agency.example', role: 'user' },
          'post /api/v1/organizations/{organizationId}/integration-keys': { name: 'x', scopes: ['sites:read'] },
          'post /api/v1/organizations/{organizationId}/integration-keys/{keyId}/rotate': {},
          'post /api/v1/organizations/{organizationId}/enrolment-keys': { name: 'x', most_sites: 1 },
          'post /api/v1/enrolments': { agent_id: site.id, url: 'https://agent.example' },
          'post /api/v1/auth/invitation': { token: 'none', password: PASSWORD },
          'post /api/v1/auth/password-reset': { email: `nobody${asker}@agency.example` },
          'post /api/v1/auth/password-reset/confirm': { token: 'none', new_password: PASSWORD },
          'post /api/v1/auth/second-factor': { challenge: 'none', code: '123456' },
          // Of a million codes not this one, or it is tried anew.
          'post /api/v1/auth/two-factor/confirm': { code: '000000' },
          'post /api/v1/auth/step-up': { password: PASSWORD },
          'post /api/v1/auth/password': { current_password: PASSWORD, new_password: PASSWORD },
          'post /api/v1/organizations': { name: 'Another' },
          'patch /api/v1/organizations/{organizationId}': { name: 'Still' },
          'patch /api/v1/organizations/{organizationId}/members/{userId}': { role: 'developer' },
          'patch /api/v1/users/{userId}': { name: 'Still' },
          'post /api/v1/plans': {
            code: 'premium',
            name: 'x',
            figures: 'hourly',
            person_requests_per_minute: 1,
            key_requests_per_minute: 1,
            pushes_per_minute: 1,
          },
          'patch /api/v1/plans/{planCode}': { name: 'Still' },
          'patch /api/v1/auth/me': { name: 'Still' },
          'post /api/v1/sites': {
            name: 'x',
            url: 'https://x.example',
            ...(asker === 5 ? { organization: organization!.uuid } : {}),
          },
          'post /api/v1/modules': {
            name: `another_${asker}`,
            title: 'Another',
            ...(asker === 5 ? { organization: organization!.uuid } : {}),
          },
          'patch /api/v1/modules/{name}': { title: 'Own, still' },
          'post /api/v1/sites/{siteUuid}/keys': {},
          'post /api/v1/sites/{siteUuid}/quarantine': {},
          'post /api/v1/sites/{siteUuid}/quarantine/release': { decision: 'keep' },
          'patch /api/v1/sites/{siteUuid}': { name: 'Still' },
          'post /api/v1/sites/{siteUuid}/modules/sync': inventory(site.id),
        };
        const reply = await request(base, method.toUpperCase(), path, { ...askers[asker], body: bodies[route] });
        seen[route].push(reply.status);
      }
    }
    expect(seen).toEqual(MATRIX);
    const { body } = await request<{ paths: Record<string, object> }>(base, 'GET', '/docs/openapi.json');
    const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes.sort()).toEqual(Object.keys(MATRIX).sort());
    // Some four hundred requests, one after the other.
  }, 300_000);

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
    const token = await logIn(replica.url);
    await api.others.stop();
    const reply = await request<Body>(replica.url, 'GET', '/api/v1/sites', { token });
    expect(told(reply)).toBe('503 unavailable');
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    // That a site is not there, the registry says without it.
    const nowhere = await request<Body>(replica.url, 'GET', `/api/v1/sites/${randomUUID()}/modules`, { token });
    expect(told(nowhere)).toBe('404 not_found');
  });
});
