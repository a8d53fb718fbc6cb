import { randomUUID } from 'node:crypto';
import { listSites, siteModules } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { addSite, inventory, request } from './gateway-in-a-box.js';

describe('managing sites', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox();
  });
  afterAll(() => api.close());

  describe('a site', () => {
    it('is created with a key that is shown once, told to the others, and stands in the audit log', async () => {
      const reply = await request<{
        data: { site: { id: string; environment: string }; key: string };
        links: Record<string, string>;
      }>(api.base, 'POST', '/api/v1/sites', {
        token: api.token,
        body: { name: 'Zürich – Rathaus', url: 'https://example.org/a', environment: 'stage' },
      });
      expect(reply.status).toBe(201);
      const { site: created, key } = reply.body.data;
      expect(key).toMatch(/^pw_site_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$/);
      expect(reply.headers.get('cache-control')).toBe('private, no-store');
      const dump = await api.box.database.query<{ everything: string }[]>(
        `SELECT (SELECT json_agg(k)::text FROM api_keys k) || (SELECT json_agg(a)::text FROM audit_log a) || coalesce((SELECT json_agg(o)::text FROM outbox o), '') AS everything`,
      );
      expect(dump[0]!.everything).toContain(key.slice(8, 16));
      expect(dump[0]!.everything).not.toContain(key.slice(17));
      await eventually(
        async () => {
          const entries = await api.box.streams.client.xrange('pw:{reporting.identity.0}', '-', '+');
          return entries.some(([, fields]) => fields.join().includes(created.id) && fields.join().includes('Zürich'));
        },
        { what: 'the event of the new site' },
      );
      const [line] = await api.box.database.query<{ action: string; organization_id: number; detail: unknown }[]>(
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
        'addresses that look right and that no browser can open',
        { name: 'a', url: 'https://xn--a' },
        '400 validation_failed wrong_format:/url',
      ],
      [
        'addresses that Postgres cannot hold',
        { name: 'a', url: 'https://a.example/\0' },
        '400 validation_failed wrong_format:/url',
      ],
      [
        'addresses with half a character',
        { name: 'a', url: 'https://a.example/\ud800' },
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
      expect(told(await request<Body>(api.base, 'POST', '/api/v1/sites', { token: api.token, body }))).toBe(expected);
    });

    it('has two live keys to push with at most, and keys for scripts beside them', async () => {
      const own = await addSite(api.base, api.token);
      const key = (body: unknown) =>
        request<Body>(api.base, 'POST', `/api/v1/sites/${own.uuid}/keys`, { token: api.token, body }).then(told);
      expect(await key({})).toBe('201');
      expect(await key({})).toBe('409 too_many_keys');
      expect(await key({ purpose: 'backfill', expires_in_hours: 24 })).toBe('201');
      expect(await key({ purpose: 'integration' })).toBe('400 validation_failed wrong_value:/purpose');
    });

    it('S47: has keys that are replaced without a gap: the new one opens, then the old one is revoked alone, at once', async () => {
      const own = await addSite(api.base, api.token);
      const path = `/api/v1/sites/${own.uuid}/keys`;
      const ask = (method: string, suffix = '', body?: unknown) =>
        request<Body>(api.base, method, `${path}${suffix}`, { token: api.token, body });
      const fresh = (await ask('POST', '', {})).body.data as { key: string; key_id: string };
      const push = (key: string, base = api.base) =>
        request(base, 'POST', `/api/v1/sites/${own.uuid}/modules/sync`, { key, body: inventory(own.uuid) });
      const replica = await api.box.replica();
      expect([(await push(own.key)).status, (await push(own.key, replica.url)).status]).toEqual([202, 202]);
      expect((await push(fresh.key)).status).toBe(202);
      const old = own.key.slice(8, 16);
      const listed = await ask('GET');
      expect((listed.body.data as { key_id: string }[]).map(({ key_id }) => key_id)).toEqual([fresh.key_id, old]);
      const { id: me } = (await api.get('/api/v1/auth/me')).body.data as { id: string };
      expect(listed.body.data).toMatchObject([{ created_by: me }, { created_by: me }]);
      // S46: what was shown once is shown never again.
      expect(JSON.stringify(listed.body)).not.toContain(fresh.key.slice(17));
      expect((await ask('DELETE', `/${old}`)).status).toBe(204);
      expect((await push(own.key)).status).toBe(401);
      await eventually(async () => (await push(own.key, replica.url)).status === 401, {
        what: 'the other replica to have heard of it',
      });
      expect((await push(fresh.key)).status).toBe(202);
      expect(told(await ask('DELETE', `/${old}`))).toBe('404 not_found');
      expect(((await ask('GET')).body.data as unknown[]).length).toBe(1);
    });

    it('is changed by those who may edit it, told to the others, and nobody else’s key can be revoked by way of it', async () => {
      const own = await addSite(api.base, api.token, 'Before');
      const path = `/api/v1/sites/${own.uuid}`;
      const body = { name: 'After', environment: 'stage' };
      const changed = await request<Body>(api.base, 'PATCH', path, { token: api.token, body });
      expect(changed.body.data).toMatchObject({
        id: own.uuid,
        name: 'After',
        environment: 'stage',
        url: 'https://town-hall.example',
      });
      await eventually(
        async () => {
          const entries = await api.box.streams.client.xrange('pw:{ingest.sites.0}', '-', '+');
          return entries.some(([, fields]) => fields.join().includes(own.uuid) && fields.join().includes('"After"'));
        },
        { what: 'the event of the change' },
      );
      const foreign = await request<Body>(api.base, 'DELETE', `${path}/keys/${api.site.key.slice(8, 16)}`, {
        token: api.token,
      });
      expect(told(foreign)).toBe('404 not_found');
      const wrong = await request<Body>(api.base, 'PATCH', path, {
        token: api.token,
        body: { organization: own.uuid },
      });
      expect(told(wrong)).toBe('400 validation_failed unknown_member:/organization');
    });

    it('is there the moment it is created, though reporting has not heard of it', async () => {
      api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
      api.others.answer(siteModules, () => null);
      const reply = await api.get(`/api/v1/sites/${api.site.uuid}`);
      expect(reply.body.data).toMatchObject({
        id: api.site.uuid,
        name: 'Town hall',
        reporting: 'waiting',
        core_version: null,
      });
      expect((await api.get(`/api/v1/sites/${api.site.uuid}/modules`)).body).toMatchObject({
        data: [],
        meta: { total: 0, site: { id: api.site.uuid } },
      });
    });
  });

  it('roles decide who changes what: the matrix', async () => {
    const allowed: Record<string, [number, number, number]> = {
      administrator: [201, 201, 204],
      user: [201, 403, 403],
      developer: [403, 403, 403],
    };
    for (const [role, expected] of Object.entries(allowed)) {
      const { token: own, organizationId } = await api.person(role);
      const created = await request<{ data: { site: { id: string } } }>(api.base, 'POST', '/api/v1/sites', {
        token: own,
        body: { name: 'x', url: 'https://x.example' },
      });
      const [organization] = await api.box.database.query<{ uuid: string }[]>(
        'SELECT uuid FROM organizations WHERE id = $1',
        [organizationId],
      );
      const uuid =
        created.status === 201
          ? created.body.data.site.id
          : (
              await request<{ data: { site: { id: string } } }>(api.base, 'POST', '/api/v1/sites', {
                token: api.token,
                body: { name: 'x', url: 'https://x.example', organization: organization!.uuid },
              })
            ).body.data.site.id;
      const key = await request(api.base, 'POST', `/api/v1/sites/${uuid}/keys`, { token: own, body: {} });
      const removed = await request(api.base, 'DELETE', `/api/v1/sites/${uuid}`, { token: own });
      expect([role, created.status, key.status, removed.status]).toEqual([role, ...expected]);
    }
  });

  describe('whoever is not of the organization (S52)', () => {
    it('gets 404 for its sites, whatever she tries, and never a word more', async () => {
      const stranger = await api.person('administrator');
      const unknown = randomUUID();
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['GET', '/modules', undefined],
        ['GET', `/pushes/${randomUUID()}`, undefined],
        ['POST', '/keys', {}],
        ['DELETE', '', undefined],
      ] as const) {
        const there = await request<Body>(api.base, method, `/api/v1/sites/${api.site.uuid}${path}`, {
          token: stranger.token,
          body,
        });
        const nowhere = await request<Body>(api.base, method, `/api/v1/sites/${unknown}${path}`, {
          token: stranger.token,
          body,
        });
        expect(told(there)).toBe('404 not_found');
        expect({ ...there.body, request_id: 0, instance: 0 }).toEqual({ ...nowhere.body, request_id: 0, instance: 0 });
      }
    });

    it('reads with her own scope only', async () => {
      const stranger = await api.person('developer');
      api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
      await api.get('/api/v1/sites', {}, stranger.token);
      expect(api.others.lastInput(listSites).scope).toEqual({ organization_ids: [stranger.organizationId] });
      await api.get('/api/v1/sites');
      expect(api.others.lastInput(listSites).scope).toEqual({ organization_ids: null });
      expect((await api.get('/api/v1/organizations', {}, stranger.token)).body.data).toMatchObject([
        { name: 'Other agency', role: 'developer' },
      ]);
    });

    it('who belongs to none sees nothing', async () => {
      const nobody = await api.person(null);
      api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
      await api.get('/api/v1/sites', {}, nobody.token);
      expect(api.others.lastInput(listSites).scope).toEqual({ organization_ids: [] });
      expect((await api.get('/api/v1/organizations', {}, nobody.token)).body.data).toEqual([]);
    });
  });
});
