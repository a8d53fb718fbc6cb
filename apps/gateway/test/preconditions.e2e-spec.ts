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
