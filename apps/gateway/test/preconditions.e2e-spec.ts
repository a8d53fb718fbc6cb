import { customModules, listSites, moduleDetail, moduleSync } from '#libs/contracts';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { request } from './gateway-in-a-box.js';

describe('changes that say what they are based on', () => {
  let api: Api;
  let token: string;
  let organization: string;
  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
    api.others.answer(moduleSync, () => null);
    api.others.answer(moduleDetail, () => null);
    api.others.answer(customModules, () => ({ items: [] }));
    const person = await api.person('administrator');
    token = person.token;
    const [row] = await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [
      person.organizationId,
    ]);
    organization = row!.uuid;
  });
  afterAll(() => api.close());

  const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { token, headers, ...(body === undefined ? {} : { body }) });
  const tagOf = ({ headers }: { headers: Headers }) => headers.get('etag')!;

  const places: [string, () => Promise<string>, unknown, unknown][] = [
    ['an organization', async () => `organizations/${organization}`, { name: 'One' }, { name: 'Two' }],
    [
      'a site',
      async () => {
        const { body } = await ask('POST', 'sites', { name: 'x', url: 'https://x.example' });
        return `sites/${(body.data as { site: { id: string } }).site.id}`;
      },
      { name: 'One' },
      { name: 'Two' },
    ],
    [
      'a module of one’s own',
      async () => {
        await ask('POST', 'modules', { name: 'own_one', title: 'Own' });
        return 'modules/own_one';
      },
      { title: 'One' },
      { title: 'Two' },
    ],
  ];

  it.each(places)(
    '%s: of two who read the same, the second learns that it was changed',
    async (_what, make, one, two) => {
      const path = await make();
      const read = await ask('GET', path);
      expect(told(read)).toBe('200');
      expect((await ask('GET', path, undefined, { 'if-none-match': tagOf(read) })).status).toBe(304);
      expect(told(await ask('PATCH', path, one, { 'if-match': '' }))).toBe('428 precondition_required');
      const first = await ask('PATCH', path, one, { 'if-match': tagOf(read) });
      expect(told(first)).toBe('200');
      const second = await ask('PATCH', path, two, { 'if-match': tagOf(read) });
      expect(told(second)).toBe('412 precondition_failed');
      expect((await ask('GET', path, undefined, { 'if-none-match': tagOf(read) })).status).toBe(200);
      // The answer of a change has the tag for the next one; a list of tags and * are understood, weak ones are not.
      expect(told(await ask('PATCH', path, two, { 'if-match': `W/${tagOf(first)}` }))).toBe('412 precondition_failed');
      expect(told(await ask('PATCH', path, two, { 'if-match': `"other", ${tagOf(first)}` }))).toBe('200');
      expect(told(await ask('PATCH', path, one, { 'if-match': '*' }))).toBe('200');
    },
  );

  it('of members: the list has their revisions, two who change one role at once do not both, and a role is no tag of a later membership', async () => {
    const { organizationId, token: other } = await api.person('administrator');
    const [row] = await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [
      organizationId,
    ]);
    const member = await api.member('developer', organizationId);
    const members = `organizations/${row!.uuid}/members`;
    const path = `${members}/${member}`;
    const as = (method: string, to: string, body?: unknown, headers: Record<string, string> = {}) =>
      request<Body>(api.base, method, `/api/v1/${to}`, {
        token: other,
        headers,
        ...(body === undefined ? {} : { body }),
      });
    const read = await as('GET', path);
    const listed = (await as('GET', members)).body.data as { id: string; revision: number }[];
    const { revision } = listed.find(({ id }) => id === member)!;
    expect(tagOf(read)).toMatch(new RegExp(`^"r${revision}\\.`));
    expect(told(await as('PATCH', path, { role: 'user' }, { 'if-match': '' }))).toBe('428 precondition_required');
    expect(told(await as('DELETE', path, undefined, { 'if-match': '' }))).toBe('428 precondition_required');
    const outcomes = await Promise.all(
      ['user', 'administrator', 'user'].map(async (role) =>
        told(await as('PATCH', path, { role }, { 'if-match': `"r${revision}"` })),
      ),
    );
    expect(outcomes.sort()).toEqual(['204', '412 precondition_failed', '412 precondition_failed']);
    expect(told(await as('DELETE', path, undefined, { 'if-match': tagOf(read) }))).toBe('412 precondition_failed');
    const next = await as('PATCH', path, { role: 'user' }, { 'if-match': `"r${revision + 1}"` });
    expect([told(next), tagOf(next)]).toEqual(['204', `"r${revision + 2}"`]);
    expect(told(await as('DELETE', path, undefined, { 'if-match': tagOf(next) }))).toBe('204');
    expect(told(await as('GET', path))).toBe('404 not_found');
  });

  it('of accounts: the second superuser learns that the first was faster; one’s own name may be based on nothing', async () => {
    const person = await api.person('user');
    const { id } = (await api.get('/api/v1/auth/me', {}, person.token)).body.data as { id: string };
    const as = (method: string, to: string, body?: unknown, headers: Record<string, string> = {}) =>
      request<Body>(api.base, method, `/api/v1/${to}`, {
        token: api.token,
        headers,
        ...(body === undefined ? {} : { body }),
      });
    const path = `users/${id}`;
    const tag = tagOf(await as('GET', path));
    expect(told(await as('PATCH', path, { name: 'One' }, { 'if-match': '' }))).toBe('428 precondition_required');
    const changed = await as('PATCH', path, { name: 'One' }, { 'if-match': tag });
    expect(told(changed)).toBe('200');
    expect(told(await as('PATCH', path, { active: false }, { 'if-match': tag }))).toBe('412 precondition_failed');
    const { revision } = (
      (await as('GET', 'users?per_page=100')).body.data as unknown as { id: string; revision: number }[]
    ).find((one) => one.id === id)!;
    expect(tagOf(changed)).toBe(`"r${revision}"`);
    const own = await api.get('/api/v1/auth/me', {}, person.token);
    const rename = (name: string, headers: Record<string, string>) =>
      request<Body>(api.base, 'PATCH', '/api/v1/auth/me', { token: person.token, headers, body: { name } });
    expect(told(await rename('Two', { 'if-match': '' }))).toBe('200');
    expect(told(await rename('Three', { 'if-match': tagOf(own) }))).toBe('412 precondition_failed');
    expect(told(await as('PATCH', path, { name: 'Four' }, { 'if-match': `"r${revision + 1}"` }))).toBe('200');
  });

  it('are not asked of whoever takes something away that was given: keys, invitations', async () => {
    const { body } = await ask('POST', 'sites', { name: 'x', url: 'https://y.example' });
    const { site, key } = body.data as { site: { id: string }; key: string };
    const made = await ask('POST', `organizations/${organization}/integration-keys`, {
      name: 'x',
      scopes: ['sites:read'],
    });
    const invited = await ask('POST', `organizations/${organization}/invitations`, {
      email: 'new@agency.example',
      role: 'user',
    });
    for (const path of [
      `sites/${site.id}/keys/${key.slice(8, 16)}`,
      `organizations/${organization}/integration-keys/${(made.body.data as { key_id: string }).key_id}`,
      `organizations/${organization}/invitations/${(invited.body.data as { id: string }).id}`,
    ])
      expect([path, told(await ask('DELETE', path, undefined, { 'if-match': '' }))]).toEqual([path, '204']);
  });

  it('hold for removals, and one of two who remove or change at once wins', async () => {
    const path = await places[1]![1]();
    const tag = tagOf(await ask('GET', path));
    expect(told(await ask('DELETE', path, undefined, { 'if-match': '' }))).toBe('428 precondition_required');
    const outcomes = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => told(await ask('PATCH', path, { name }, { 'if-match': tag }))),
    );
    expect(outcomes.sort()).toEqual(['200', ...Array<string>(3).fill('412 precondition_failed')]);
    expect(told(await ask('DELETE', path, undefined, { 'if-match': tag }))).toBe('412 precondition_failed');
    const now = tagOf(await ask('GET', path));
    expect(told(await ask('DELETE', path, undefined, { 'if-match': now }))).toBe('204');
  });

  it('S52: tell a stranger nothing: what is not hers is not there, whatever she sends', async () => {
    const path = await places[1]![1]();
    const tag = tagOf(await ask('GET', path));
    const stranger = await api.person('administrator');
    const sent: Record<string, string>[] = [{ 'if-match': tag }, { 'if-match': '"r9"' }, { 'if-none-match': tag }];
    for (const headers of sent) {
      const method = 'if-none-match' in headers ? 'GET' : 'PATCH';
      const reply = await request<Body>(api.base, method, `/api/v1/${path}`, {
        token: stranger.token,
        headers,
        ...(method === 'PATCH' ? { body: { name: 'x' } } : {}),
      });
      expect(told(reply)).toBe('404 not_found');
    }
  });
});
