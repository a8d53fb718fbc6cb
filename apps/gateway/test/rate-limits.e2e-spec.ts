import { listSites } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { request } from './gateway-in-a-box.js';

describe('limits of requests', () => {
  let api: Api;
  let reader: { token: string };
  beforeAll(async () => {
    api = await apiInABox({
      PATCHWATCH_USER_RATE: '20/600',
      PATCHWATCH_KEY_RATE: '5/600',
      PATCHWATCH_ADDRESS_RATE: '40/600',
    });
    reader = await api.person('developer');
    api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
  });
  afterAll(() => api.close());

  const ask = (path: string, who: { token?: string; key?: string } = {}, base = api.base) =>
    request<Body>(base, 'GET', `/api/v1/${path}`, who);
  const left = ({ headers }: { headers: Headers }) => Number(/;r=(\d+);/.exec(headers.get('ratelimit') ?? '')?.[1]);

  it('are told with every answer, by person, and what is too much waits while others go on', async () => {
    const [one, other] = [await api.person('developer'), await api.person('developer')];
    const first = await ask('auth/me', one);
    expect(first.headers.get('ratelimit-policy')).toBe('"user";q=20;w=600');
    expect(left(first)).toBe(19);
    // Also with answers that are none.
    expect(left(await ask('users', one))).toBe(18);
    for (let i = 0; i < 18; i++) expect((await ask('auth/me', one)).status).toBe(200);
    const over = await ask('auth/me', one);
    expect(told(over)).toBe('429 rate_limited');
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(left(over)).toBe(0);
    expect((await ask('auth/me', other)).status).toBe(200);
    // S13: replicas share what is left.
    const replica = await api.box.replica();
    await eventually(async () => (await ask('auth/me', one, replica.url)).status === 429, {
      what: 'the other replica to know',
    });
  });

  it('are told with answers that come before anybody asks who it is, and with pushes that are refused', async () => {
    const post = (path: string, body: unknown, who: { key?: string } = {}, headers: Record<string, string> = {}) =>
      request<Body>(api.base, 'POST', `/api/v1/${path}`, { body, headers, ...who });
    const push = `sites/${api.site.uuid}/modules/sync`;
    const [network, key] = ['"address";q=40;w=600', '"push";q=600;w=60'];
    for (const [policy, status, reply] of [
      [network, 404, await ask('nothing')],
      [network, 400, await post('auth/login', '{')],
      [network, 415, await post('auth/login', '{}', {}, { 'content-type': 'text/plain' })],
      [network, 415, await post('auth/login', '{}', {}, { 'content-encoding': 'gzip' })],
      ['"wrong_key";q=120;w=60', 401, await post(push, {}, { key: 'pw_site_none' })],
      [key, 422, await post(push, {}, api.site)],
      [key, 400, await post(push, '{', api.site)],
    ] as const) {
      expect([reply.status, reply.headers.get('ratelimit-policy')]).toEqual([status, policy]);
      expect(left(reply)).toBeGreaterThan(0);
    }
  });

  it('count each key by itself', async () => {
    const person = await api.person('administrator');
    const [row] = await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [
      person.organizationId,
    ]);
    const made = await request<Body>(api.base, 'POST', `/api/v1/organizations/${row!.uuid}/integration-keys`, {
      token: person.token,
      body: { name: 'x', scopes: ['sites:read'] },
    });
    const { key } = made.body.data as { key: string };
    const codes = [];
    for (let i = 0; i < 6; i++) codes.push((await ask('sites', { key })).status);
    expect(codes).toEqual([200, 200, 200, 200, 200, 429]);
    expect((await ask('sites', person)).status).toBe(200);
  });

  it('hold back a network that guesses credentials, and nobody of it whose credentials are good', async () => {
    const known = await api.person('developer');
    const codes = new Set<number>();
    for (let i = 0; i < 45; i++) codes.add((await ask('sites', { token: `guess-${i}` })).status);
    expect(codes).toEqual(new Set([401, 429]));
    expect((await ask('auth/me', known)).status).toBe(200);
  });

  it('do not keep anybody from reading when Redis is away', async () => {
    await api.box.cache.kill9();
    const codes = [];
    for (let i = 0; i < 21; i++) codes.push((await ask('auth/me', reader)).status);
    // What this replica sees by itself still counts.
    expect(codes).toEqual([...Array<number>(20).fill(200), 429]);
  });
});
