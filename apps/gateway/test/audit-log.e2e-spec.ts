import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '#libs/testing';
import { apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { request } from './gateway-in-a-box.js';

interface Line {
  readonly id: string;
  readonly action: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly actor: string;
  readonly subject: string | null;
  readonly organization_id: string | null;
  readonly detail: Record<string, unknown>;
}

describe('S77: the audit log', () => {
  let api: Api;
  let administrator: { token: string; organizationId: number };
  let organization: string;
  beforeAll(async () => {
    api = await apiInABox();
    administrator = await api.person('administrator');
    const [row] = await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [
      administrator.organizationId,
    ]);
    organization = row!.uuid;
  });
  afterAll(() => api.close());

  const ask = (token: string | undefined, method: string, path: string, body?: unknown) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { ...(token === undefined ? {} : { token }), body });
  const lines = async (token: string, query = '') => {
    const reply = await ask(token, 'GET', `audit${query}`);
    expect(told(reply)).toBe('200');
    return reply.body.data as unknown as Line[];
  };
  const found = (token: string, query: string, what: string) =>
    eventually(async () => (await lines(token, query))[0], { what });

  it('shows administrators what happened in their organization, and nobody else’s', async () => {
    await ask(administrator.token, 'POST', 'sites', { name: 'Noted', url: 'https://noted.example' });
    const line = await found(administrator.token, '?action=site.created', 'the site');
    expect(line).toMatchObject({ outcome: 'done', organization_id: organization, detail: { name: 'Noted' } });
    const all = await lines(administrator.token, '?per_page=100');
    expect(new Set(all.map((one) => one.organization_id))).toEqual(new Set([organization]));
    const stranger = await api.person('administrator');
    expect((await lines(stranger.token)).some((one) => one.id === line.id)).toBe(false);
    expect(told(await ask(stranger.token, 'GET', `audit?organization=${organization}`))).toBe('404 not_found');
    expect((await lines(api.token, `?organization=${organization}`)).some((one) => one.id === line.id)).toBe(true);
    const developer = await api.person('developer', administrator.organizationId);
    expect(told(await ask(developer.token, 'GET', 'audit'))).toBe('403 forbidden');
  });

  it('is read page by page without a line twice, however many come meanwhile', async () => {
    for (let i = 0; i < 8; i++)
      await ask(administrator.token, 'POST', 'sites', { name: 'x', url: `https://n${i}.example` });
    const seen: string[] = [];
    let next: string | null = '/api/v1/audit?per_page=2';
    for (let page = 0; page < 4 && next !== null; page++) {
      const reply: { body: Body } = await request<Body>(api.base, 'GET', next, { token: api.token });
      seen.push(...(reply.body.data as unknown as Line[]).map(({ id }) => id));
      next = reply.body.links.next ?? null;
      await ask(administrator.token, 'POST', 'sites', { name: 'x', url: `https://p${page}.example` });
    }
    expect(seen).toHaveLength(8);
    expect(new Set(seen).size).toBe(8);
    expect(seen).toEqual([...seen].sort((a, b) => Number(b) - Number(a)));
  });

  it.each([
    ['cursor=1', '400 invalid_parameter wrong_format:/cursor'],
    ['per_page=101', '400 invalid_parameter out_of_range:/per_page'],
    ['outcome=maybe', '400 invalid_parameter wrong_format:/outcome'],
    ['who=me', '400 unknown_parameter unknown_member:/who'],
  ])('does not understand ?%s', async (query, expected) => {
    expect(told(await ask(api.token, 'GET', `audit?${query}`))).toBe(expected);
  });

  it('holds what was refused, on whatever route: roles, tenants, credentials, keys', async () => {
    const developer = await api.person('developer', administrator.organizationId);
    const stranger = await api.person('administrator');
    const me = async (token: string) => `user:${((await ask(token, 'GET', 'auth/me')).body.data as { id: string }).id}`;
    // Roles: noted by the feature, once.
    const own = (await ask(administrator.token, 'POST', 'sites', { name: 'x', url: 'https://r.example' })).body
      .data as {
      site: { id: string };
      key: string;
    };
    expect(told(await ask(developer.token, 'DELETE', `sites/${own.site.id}`))).toBe('403 forbidden');
    const refused = await found(
      administrator.token,
      `?outcome=refused&actor=${await me(developer.token)}`,
      'what a role does not allow',
    );
    expect(refused).toMatchObject({ reason: 'forbidden', organization_id: organization });
    // Tenants: a write to what is not hers.
    expect(told(await ask(stranger.token, 'DELETE', `sites/${own.site.id}`))).toBe('404 not_found');
    expect(
      await found(api.token, `?outcome=refused&actor=${await me(stranger.token)}`, 'another tenant’s write'),
    ).toMatchObject({
      action: 'request.refused',
      reason: 'not_found',
      subject: 'route:DELETE /api/v1/sites/:siteUuid',
      detail: { path: `/api/v1/sites/${own.site.id}` },
    });
    // Credentials that are not good.
    expect(told(await ask('not-a-token', 'GET', 'sites'))).toBe('401 invalid_token');
    expect(await found(api.token, '?action=request.refused&actor=anonymous', 'a bad token')).toMatchObject({
      reason: 'invalid_token',
    });
    // A site's key on a route of people.
    await request(api.base, 'GET', '/api/v1/sites', { key: own.key });
    expect(await found(api.token, `?actor=key:${own.key.slice(8, 16)}&outcome=refused`, 'a site’s key')).toMatchObject({
      reason: 'forbidden',
      organization_id: organization,
    });
  });

  it('does not hold requests without any credentials, and reads of what is not there', async () => {
    const someone = await api.person('developer');
    const last = Number((await lines(api.token))[0]!.id);
    await ask(undefined, 'GET', 'sites');
    await ask(someone.token, 'GET', 'sites/8a6e0804-2bd0-4672-b79d-d97027f9071a');
    // Something that is noted, after both.
    expect(told(await ask(someone.token, 'POST', 'enrolments', {}))).toBe('403 forbidden');
    const line = await found(
      api.token,
      '?outcome=refused&subject=route:POST%20/api/v1/enrolments',
      'the refusal after them',
    );
    const since = (await lines(api.token, '?outcome=refused&per_page=100')).filter(({ id }) => Number(id) > last);
    expect(since.map(({ id }) => id)).toEqual([line.id]);
  });

  it('S78: cannot be changed by the gateway itself, and a command finds what its owner changed', async () => {
    const privileges = await api.box.database.query<{ granted: boolean }[]>(
      `SELECT bool_or(has_table_privilege('patchwatch_gateway_test', t, p)) AS granted
         FROM unnest(ARRAY['audit_log', 'audit_seals']) t, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) p`,
    );
    expect(privileges[0]!.granted).toBe(false);
    await eventually(
      async () =>
        (await api.box.database.query<{ n: number }[]>('SELECT count(*)::int AS n FROM audit_unsealed'))[0]!.n === 0,
      { what: 'all lines to be sealed' },
    );
    const database = api.box.database;
    const [line] = await database.query<{ id: string }[]>(
      `SELECT min(id) AS id FROM audit_log WHERE action = 'site.created'`,
    );
    await database.query('ALTER TABLE audit_log DISABLE TRIGGER USER');
    await database.query(`UPDATE audit_log SET actor = 'user:somebody-else' WHERE id = $1`, [line!.id]);
    await database.query('ALTER TABLE audit_log ENABLE TRIGGER USER');
    const command = [join(process.cwd(), 'dist/tools/cli/main.js'), 'audit', 'verify', '--json'];
    const env = {
      ...process.env,
      PATCHWATCH_GATEWAY_DATABASE_URL: api.box.databaseLink.url,
      PATCHWATCH_PEPPER: 'p'.repeat(40),
    };
    const outcome = await promisify(execFile)(process.execPath, command, { env }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: unknown) => error as { code: number; stdout: string },
    );
    expect(outcome.code).toBe(1);
    const {
      faults,
      lines: checked,
      head,
    } = JSON.parse(outcome.stdout) as {
      faults: unknown[];
      lines: number;
      head: { position: number };
    };
    // That one, and nothing else: the gateway sealed what the command reads.
    expect(faults).toEqual([expect.objectContaining({ kind: 'line_changed', lineId: Number(line!.id) })]);
    expect(checked).toBe(head.position);
  }, 30_000);
});
