import { randomUUID } from 'node:crypto';
import {
  advisoryDetail,
  advisorySites,
  customModules,
  dashboardOverview,
  listAdvisories,
  listExposures,
  listModules,
  listSites,
  moduleDetail,
  moduleSync,
  moduleVersions,
  patchProgress,
  pushReceipt,
  siteModules,
} from '#libs/contracts';
import { RpcError } from '#libs/streams';
import { KEY_SCOPES } from '../src/integration-key/key-scopes.js';
import { AS_OF, apiInABox, type Api } from './api-in-a-box.js';
import { inventory, PASSWORD, request } from './gateway-in-a-box.js';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: unknown;
  readonly security?: readonly Record<string, unknown>[];
}
interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** What belongs to a tenant, by the names that paths, queries and bodies have for it. */
interface Belongings {
  readonly organizationId: number;
  readonly token: string;
  readonly program: string;
  readonly ids: Readonly<Record<string, string>>;
}

/** In the name of everything that a stranger must not see. */
const MARKER = 'Marker-of-the-other';

describe('every route, from the description of the API', () => {
  let api: Api;
  let routes: Route[];
  let mine: Belongings;
  let theirs: Belongings;
  beforeAll(async () => {
    api = await apiInABox();
    const empty = { items: [], meta: { total: 0, as_of: AS_OF } };
    for (const list of [listSites, listModules, listAdvisories, listExposures])
      api.others.answer(list, () => ({ ...empty, next: null }));
    for (const one of [
      siteModules,
      moduleDetail,
      moduleVersions,
      moduleSync,
      advisoryDetail,
      advisorySites,
      pushReceipt,
    ])
      api.others.answer(one, () => null);
    api.others.answer(customModules, () => ({ items: [] }));
    for (const figure of [dashboardOverview, patchProgress])
      api.others.answer(figure, () => {
        throw new RpcError('unavailable', 'not here', 503);
      });
    const { body } = await request<{ paths: Record<string, Record<string, Operation>> }>(
      api.base,
      'GET',
      '/docs/openapi.json',
    );
    routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
    mine = await belongings('mine');
    theirs = await belongings(MARKER);
  }, 120_000);
  afterAll(() => api.close());

  async function belongings(name: string): Promise<Belongings> {
    const { token, organizationId } = await api.person('administrator');
    const member = await api.member('user', organizationId);
    const [row] = await api.box.database
      .query<{ uuid: string }[]>('UPDATE organizations SET name = $2 WHERE id = $1 RETURNING uuid', [
        organizationId,
        name,
      ])
      .then(([rows]) => rows as unknown as { uuid: string }[]);
    await api.box.database.query('UPDATE users SET name = $2 WHERE uuid = $1', [member, name]);
    const organization = row!.uuid;
    const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const reply = await request<{ data: T }>(api.base, method, `/api/v1/${path}`, { token, body });
      if (reply.status >= 300) throw new Error(`${path}: ${JSON.stringify(reply.body)}`);
      return reply.body.data;
    };
    const { site, key } = await ask<{ site: { id: string }; key: string }>('POST', 'sites', {
      name,
      url: 'https://x.example',
    });
    const pushed = await request(api.base, 'POST', `/api/v1/sites/${site.id}/modules/sync`, {
      key,
      body: inventory(site.id),
    });
    const module = `own_${organizationId}`;
    await ask('POST', 'modules', { name: module, title: name });
    const path = `organizations/${organization}`;
    const program = await ask<{ key: string; key_id: string }>('POST', `${path}/integration-keys`, {
      name,
      scopes: KEY_SCOPES,
    });
    const invitation = await ask<{ id: string }>('POST', `${path}/invitations`, {
      email: `${organizationId}@agency.example`,
      role: 'user',
    });
    const [session] = await ask<{ id: string }[]>('GET', 'auth/sessions');
    return {
      organizationId,
      token,
      program: program.key,
      ids: {
        ...{ organizationId: organization, organization, siteUuid: site.id, site: site.id, userId: member },
        ...{ invitationId: invitation.id, sessionId: session!.id, keyId: program.key_id },
        ...{ pushId: String(pushed.body.data.push_id), name: module, module, advisory: 'SA-CORE-2026-001' },
        ...{ erasureId: randomUUID(), actor: `user:${member}`, subject: `site:${site.id}`, q: name },
        planCode: 'premium',
      },
    };
  }

  const filled = (path: string, { ids }: Belongings): string =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const id = ids[name];
      if (id === undefined) throw new Error(`the test has no ${name}: say what of a tenant it is`);
      return id;
    });
  /** Bodies that are right, with what can name a tenant naming the other. */
  const bodyOf = ({ method, path }: Route): unknown => {
    const bodies: Record<string, unknown> = {
      'POST /api/v1/sites': { name: 'x', url: 'https://y.example', organization: theirs.ids['organization'] },
      'POST /api/v1/modules': { name: 'another', title: 'x', organization: theirs.ids['organization'] },
      'POST /api/v1/erasures': { subject: 'organization', id: theirs.ids['organization'] },
      'PATCH /api/v1/modules/{name}': { title: 'Taken over', organization: theirs.ids['organization'] },
      'POST /api/v1/organizations/{organizationId}/integration-keys': { name: 'x', scopes: ['sites:read'] },
      'POST /api/v1/organizations/{organizationId}/enrolment-keys': { name: 'x', most_sites: 1 },
      'POST /api/v1/organizations/{organizationId}/invitations': { email: 'me@agency.example', role: 'administrator' },
      'PATCH /api/v1/organizations/{organizationId}/members/{userId}': { role: 'developer' },
      'POST /api/v1/sites/{siteUuid}/quarantine': {},
      'POST /api/v1/sites/{siteUuid}/quarantine/release': { decision: 'keep' },
      'POST /api/v1/auth/password': { current_password: PASSWORD, new_password: PASSWORD },
      'POST /api/v1/auth/step-up': { password: PASSWORD },
      'PATCH /api/v1/auth/me': { name: 'Still' },
    };
    return method === 'GET' ? undefined : (bodies[`${method} ${path}`] ?? { name: 'Taken over' });
  };
  const everythingOf = async ({ organizationId }: Belongings): Promise<unknown> => {
    const tables = ['sites', 'memberships', 'api_keys', 'own_modules', 'invitations', 'organization_revisions'];
    const rows: unknown[] = await api.box.database.query('SELECT * FROM organizations WHERE id = $1', [organizationId]);
    for (const table of tables)
      rows.push(
        ...(await api.box.database
          .query<{ last_used_at?: unknown }[]>(`SELECT * FROM ${table} WHERE organization_id = $1 ORDER BY id`, [
            organizationId,
          ])
          .then((found) => found.map((one) => ({ ...one, last_used_at: null })))),
      );
    return rows;
  };
  /** Routes that know who asks; logging out comes last, by itself. */
  const known = () =>
    routes.filter(
      ({ operation, path }) =>
        JSON.stringify(operation.security ?? []).includes('bearer') && !path.endsWith('/auth/logout'),
    );

  it('S52: shows and gives nothing of another tenant, whichever id of it stands in path, query or body', async () => {
    const before = await everythingOf(theirs);
    const asked = api.others.asked.length;
    const leaks: string[] = [];
    let requests = 0;
    for (const route of known()) {
      const path = filled(route.path, theirs);
      const names = (route.operation.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name);
      const queries = [
        '',
        ...names.flatMap((name) => (theirs.ids[name] === undefined ? [] : [`?${name}=${theirs.ids[name]}`])),
      ];
      for (const query of queries) {
        for (const who of [{ token: mine.token }, { key: mine.program }]) {
          const reply = await request<unknown>(api.base, route.method, path + query, { ...who, body: bodyOf(route) });
          requests++;
          const text = JSON.stringify(reply.body).replaceAll(`q=${MARKER}`, '');
          const what = `${route.method} ${route.path}${query} ${Object.keys(who)[0]}: ${reply.status}`;
          if (text.includes(MARKER)) leaks.push(`${what} shows ${text.slice(0, 200)}`);
          // Plans are the platform's own: everybody who is known reads them.
          if (/\{/.test(route.path.replace('{planCode}', '')) && reply.status < 400) leaks.push(what);
          if (route.path.includes('{planCode}') && route.method !== 'GET' && reply.status < 400) leaks.push(what);
          if (reply.status >= 500 && !route.path.includes('/dashboard/')) leaks.push(what);
        }
      }
    }
    expect(leaks).toEqual([]);
    expect(requests).toBeGreaterThan(100);
    // Nobody behind the gateway was asked for more than what is hers.
    for (const { method, input } of api.others.asked.slice(asked)) {
      const scope = input['scope'] as { organization_ids: number[] | null; shared_site_ids?: number[] } | undefined;
      if (scope === undefined) continue;
      expect([method, scope.organization_ids, scope.shared_site_ids ?? []]).toEqual([
        method,
        [mine.organizationId],
        [],
      ]);
    }
    expect(await everythingOf(theirs)).toEqual(before);
  }, 240_000);
});
