import { listSites } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { inventory, request } from './gateway-in-a-box.js';

interface PlanAnswer {
  readonly code: string;
  readonly is_default: boolean;
  readonly revision: number;
}

describe('plans', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
  });
  afterAll(() => api.close());

  const ask = (token: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { token, body, headers });
  const SMALL = {
    name: 'Small',
    figures: 'weekly',
    person_requests_per_minute: 50,
    key_requests_per_minute: 40,
    pushes_per_minute: 30,
  };
  const add = async (code: string, more: Record<string, unknown> = {}): Promise<void> => {
    expect(told(await ask(api.token, 'POST', 'plans', { ...SMALL, code, ...more }))).toBe('201');
  };
  const all = async () => (await ask(api.token, 'GET', 'plans')).body.data as PlanAnswer[];
  const uuidOf = async (organizationId: number) =>
    (
      await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [organizationId])
    )[0]!.uuid;
  /** An organization with that plan, its administrator, and its address. */
  const tenant = async (plan: string) => {
    const person = await api.person('administrator');
    const path = `organizations/${await uuidOf(person.organizationId)}`;
    expect(told(await ask(api.token, 'PATCH', path, { plan }))).toBe('200');
    return { ...person, path };
  };
  const newSite = async (token: string) => {
    const { body } = await ask(token, 'POST', 'sites', { name: 'x', url: 'https://x.example' });
    const { site, key } = body.data as { site: { id: string }; key: string };
    return { id: site.id, key };
  };
  const quotaOf = ({ headers }: { headers: Headers }) => headers.get('ratelimit-policy');
  const push = async ({ id, key }: { id: string; key: string }, base = api.base) =>
    quotaOf(await request(base, 'POST', `/api/v1/sites/${id}/modules/sync`, { key, body: inventory(id) }));
  const lines = (action: string, subject: string) =>
    api.box.database.query<{ outcome: string; detail: unknown }[]>(
      'SELECT outcome, detail FROM audit_log WHERE action = $1 AND subject = $2 ORDER BY id',
      [action, subject],
    );

  it('are there from the beginning: a free one, and premium, which everyone has', async () => {
    const { token, organizationId } = await api.person('developer');
    expect((await ask(token, 'GET', 'plans')).body.data).toMatchObject([
      { code: 'free', figures: 'weekly', is_default: false, most_sites: 10 },
      {
        code: 'premium',
        figures: 'hourly',
        is_default: true,
        most_sites: null,
        person_requests_per_minute: 6000,
        key_requests_per_minute: 6000,
        pushes_per_minute: 600,
      },
    ]);
    expect((await ask(token, 'GET', 'plans/free')).body.data).toMatchObject({ code: 'free' });
    for (const path of ['plans/none', 'plans/NONE', 'plans/%00'])
      expect(told(await ask(token, 'GET', path))).toBe('404 not_found');
    const organization = await ask(token, 'GET', `organizations/${await uuidOf(organizationId)}`);
    expect(organization.body.data).toMatchObject({ plan: 'premium' });
  });

  it('S77: are added, changed and removed by superusers alone, and each time the audit log says what they were', async () => {
    const { token } = await api.person('administrator');
    expect(told(await ask(token, 'POST', 'plans', { ...SMALL, code: 'mine' }))).toBe('403 forbidden');
    expect(told(await ask(token, 'PATCH', 'plans/free', { most_sites: 1000 }))).toBe('403 forbidden');
    expect(told(await ask(token, 'DELETE', 'plans/free'))).toBe('403 forbidden');
    await add('small');
    expect(told(await ask(api.token, 'POST', 'plans', { ...SMALL, code: 'small' }))).toBe('409 plan_exists');
    const read = await ask(api.token, 'GET', 'plans/small');
    const tag = read.headers.get('etag')!;
    expect(told(await ask(api.token, 'PATCH', 'plans/small', { name: 'S' }, { 'if-match': '' }))).toBe(
      '428 precondition_required',
    );
    const changed = await ask(api.token, 'PATCH', 'plans/small', { name: 'S', most_sites: 3 }, { 'if-match': tag });
    expect(changed.body.data).toMatchObject({ ...SMALL, name: 'S', most_sites: 3, revision: 2 });
    expect(told(await ask(api.token, 'PATCH', 'plans/small', { name: 'T' }, { 'if-match': tag }))).toBe(
      '412 precondition_failed',
    );
    // What says the same changes nothing.
    expect((await ask(api.token, 'PATCH', 'plans/small', { name: 'S' })).body.data).toMatchObject({ revision: 2 });
    expect((await ask(api.token, 'PATCH', 'plans/small', { most_sites: null })).body.data).toMatchObject({
      most_sites: null,
    });
    expect(told(await ask(api.token, 'DELETE', 'plans/small', undefined, { 'if-match': tag }))).toBe(
      '412 precondition_failed',
    );
    expect(told(await ask(api.token, 'DELETE', 'plans/small'))).toBe('204');
    expect(told(await ask(api.token, 'DELETE', 'plans/small'))).toBe('404 not_found');
    expect(await lines('plan.created', 'plan:small')).toMatchObject([{ outcome: 'done', detail: { after: SMALL } }]);
    expect(await lines('plan.changed', 'plan:small')).toMatchObject([
      { detail: { before: { name: 'Small', most_sites: null }, after: { name: 'S', most_sites: 3 } } },
      { detail: { before: { most_sites: 3 }, after: { most_sites: null } } },
    ]);
    expect(await lines('plan.removed', 'plan:small')).toMatchObject([{ detail: { before: { name: 'S' } } }]);
    await eventually(async () => (await lines('plan.changed', 'plan:free')).length > 0, { what: 'the refusal' });
    expect(await lines('plan.changed', 'plan:free')).toMatchObject([{ outcome: 'refused' }]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a code that would not do in an address', { code: 'A B' }, 'wrong_format:/code'],
    ['no figures', { figures: undefined }, 'required:/figures'],
    ['a number of sites that is a text', { most_sites: '2' }, 'wrong_type:/most_sites'],
    ['a rate of nothing', { pushes_per_minute: 0 }, 'out_of_range:/pushes_per_minute'],
    ['room for no site', { most_sites: 0 }, 'out_of_range:/most_sites'],
    ['no default, said aloud', { is_default: false }, 'wrong_value:/is_default'],
    ['S53: an age of its own', { revision: 7 }, 'unknown_member:/revision'],
  ])('cannot have %s', async (_what, more, expected) => {
    expect(told(await ask(api.token, 'POST', 'plans', { ...SMALL, code: 'wrong', ...more }))).toBe(
      `400 validation_failed ${expected}`,
    );
    expect((await all()).some(({ code }) => code === 'wrong')).toBe(false);
  });

  it('are one of them the default, whoever changes that at once; what an organization has, or new ones get, is not removed', async () => {
    await add('first');
    await add('second');
    const codes = ['first', 'second', 'free', 'first', 'second'];
    await Promise.all(codes.map((code) => ask(api.token, 'PATCH', `plans/${code}`, { is_default: true })));
    const defaults = (await all()).filter((plan) => plan.is_default);
    expect(defaults).toHaveLength(1);
    const { code } = defaults[0]!;
    expect(told(await ask(api.token, 'DELETE', `plans/${code}`))).toBe('409 plan_is_default');
    const created = await ask(api.token, 'POST', 'organizations', { name: 'New' });
    expect(created.body.data).toMatchObject({ plan: code });
    expect(told(await ask(api.token, 'PATCH', 'plans/premium', { is_default: true }))).toBe('200');
    expect(told(await ask(api.token, 'DELETE', `plans/${code}`))).toBe('409 plan_in_use');
    const chosen = await ask(api.token, 'POST', 'organizations', { name: 'New', plan: 'free' });
    expect(chosen.body.data).toMatchObject({ plan: 'free' });
    expect(told(await ask(api.token, 'POST', 'organizations', { name: 'New', plan: 'none' }))).toBe(
      '400 validation_failed wrong_value:/plan',
    );
  });

  it('are given to organizations by superusers alone: a revision, a line, and new limits for sites, programs and people', async () => {
    await add('tiny');
    const { token, organizationId } = await api.person('administrator');
    const path = `organizations/${await uuidOf(organizationId)}`;
    const replica = await api.box.replica();
    const site = await newSite(token);
    const made = await ask(token, 'POST', `${path}/integration-keys`, { name: 'x', scopes: ['sites:read'] });
    const { key } = made.body.data as { key: string };
    const quotas = async () => [
      await push(site),
      await push(site, replica.url),
      quotaOf(await request(api.base, 'GET', '/api/v1/sites', { key })),
      quotaOf(await ask(token, 'GET', 'auth/me')),
    ];
    expect(await quotas()).toEqual([
      '"push";q=600;w=60',
      '"push";q=600;w=60',
      '"key";q=6000;w=60',
      '"user";q=6000;w=60',
    ]);
    const own = { name: 'Still', plan: 'tiny' };
    expect(told(await ask(token, 'PATCH', path, own))).toBe('403 forbidden');
    expect((await ask(token, 'GET', path)).body.data).toMatchObject({ name: 'Other agency', plan: 'premium' });
    expect((await ask(api.token, 'PATCH', path, own)).body.data).toMatchObject({ plan: 'tiny', revision: 2 });
    const { body } = await ask(token, 'GET', `${path}/revisions`);
    expect(body.data).toMatchObject([{ revision: 2, plan: 'tiny' }]);
    const subject = `organization:${await uuidOf(organizationId)}`;
    expect(await lines('organization.changed', subject)).toMatchObject([
      { outcome: 'done', detail: { before: { plan: 'premium' }, plan: 'tiny' } },
    ]);
    const small = ['"push";q=30;w=60', '"push";q=30;w=60', '"key";q=40;w=60', '"user";q=50;w=60'];
    await eventually(async () => JSON.stringify(await quotas()) === JSON.stringify(small), {
      what: 'both replicas to know the new plan',
      timeoutMs: 5_000,
    });
    // The same for limits of the plan itself.
    expect(told(await ask(api.token, 'PATCH', 'plans/tiny', { pushes_per_minute: 29 }))).toBe('200');
    await eventually(async () => (await quotas()).slice(0, 2).every((one) => one === '"push";q=29;w=60'), {
      what: 'both replicas to know the new limit',
      timeoutMs: 5_000,
    });
    await eventually(async () => (await lines('organization.plan_changed', subject)).length > 0, {
      what: 'the refusal',
    });
  });

  it('give who is in several organizations the best of theirs, and who is in none the default', async () => {
    await add('one', { person_requests_per_minute: 70 });
    await add('other', { person_requests_per_minute: 80 });
    const first = await tenant('one');
    expect(quotaOf(await ask(first.token, 'GET', 'auth/me'))).toBe('"user";q=70;w=60');
    const second = await tenant('other');
    await api.box.database.query(
      `INSERT INTO memberships (organization_id, user_id, role, created_at)
         SELECT $2, user_id, 'developer', now() FROM memberships WHERE organization_id = $1`,
      [first.organizationId, second.organizationId],
    );
    expect(quotaOf(await ask(first.token, 'GET', 'auth/me'))).toBe('"user";q=80;w=60');
    const nobodys = await api.person(null);
    expect(quotaOf(await ask(nobodys.token, 'GET', 'auth/me'))).toBe('"user";q=6000;w=60');
  });

  it('hold a key to the pushes that they say', async () => {
    await add('slow', { pushes_per_minute: 3 });
    const { token } = await tenant('slow');
    const site = await newSite(token);
    const codes: number[] = [];
    for (let i = 0; i < 4; i++)
      codes.push(
        (
          await request(api.base, 'POST', `/api/v1/sites/${site.id}/modules/sync`, {
            key: site.key,
            body: inventory(site.id),
          })
        ).status,
      );
    expect(codes).toEqual([202, 202, 202, 429]);
  });

  it('change under a site that is being made, and it is made', async () => {
    await add('before', { most_sites: 1 });
    await add('after', { most_sites: 2 });
    const { token, organizationId } = await tenant('before');
    await newSite(token);
    const tx = api.box.database.createQueryRunner();
    await tx.startTransaction();
    // As a change of an organization does it.
    await tx.query('SELECT 1 FROM organizations WHERE id = $1 FOR UPDATE', [organizationId]);
    await tx.query(`UPDATE organizations SET plan_id = (SELECT id FROM plans WHERE code = 'after') WHERE id = $1`, [
      organizationId,
    ]);
    const made = ask(token, 'POST', 'sites', { name: 'x', url: 'https://late.example' });
    const waits = () =>
      api.box.database.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
    await eventually(async () => (await waits()).length > 0, { what: 'the site to wait for the organization' });
    await tx.commitTransaction();
    await tx.release();
    expect(told(await made)).toBe('201');
  });

  it('have room for so many sites, however they come, and of many who come at once no more get in', async () => {
    await add('two', { most_sites: 2 });
    const { token, path } = await tenant('two');
    const made = await ask(token, 'POST', `${path}/enrolment-keys`, { name: 'x', most_sites: 10 });
    const { key } = made.body.data as { key: string };
    const enrol = (n: number) =>
      request<Body>(api.base, 'POST', '/api/v1/enrolments', {
        key,
        body: { agent_id: `00000000-0000-4000-8000-00000000000${n}`, url: `https://enrolled-${n}.example` },
      });
    const create = (n: number) => ask(token, 'POST', 'sites', { name: 'x', url: `https://made-${n}.example` });
    const replies = await Promise.all([1, 2, 3].flatMap((n) => [enrol(n), create(n)]));
    expect(replies.map(told).sort()).toEqual(['201', '201', ...Array<string>(4).fill('409 plan_limit_reached')]);
    // A refused enrolment is no use of its key.
    const [used] = (await ask(token, 'GET', `${path}/enrolment-keys`)).body.data as { sites: number }[];
    const enrolled = replies.filter((reply, i) => i % 2 === 0 && reply.status === 201).length;
    expect(used!.sites).toBe(enrolled);
    const { data } = replies.find(({ status }) => status === 201)!.body as { data: { site: { id: string } } };
    expect(told(await ask(token, 'DELETE', `sites/${data.site.id}`))).toBe('204');
    expect(told(await create(4))).toBe('201');
    expect(told(await ask(token, 'POST', `removed-sites/${data.site.id}/restore`))).toBe('409 plan_limit_reached');
    // What is there stays when the plan gets smaller; with room again, it comes back.
    expect(told(await ask(api.token, 'PATCH', 'plans/two', { most_sites: 1 }))).toBe('200');
    expect(told(await create(5))).toBe('409 plan_limit_reached');
    expect(told(await ask(api.token, 'PATCH', 'plans/two', { most_sites: null }))).toBe('200');
    expect(told(await ask(token, 'POST', `removed-sites/${data.site.id}/restore`))).toBe('200');
  });
});
