import { generateSync } from 'otplib';
import { eventually } from '#libs/testing';
import { apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { EMAIL, PASSWORD, request } from './gateway-in-a-box.js';

describe('where people log in, and with which secrets', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox({ PATCHWATCH_TRUSTED_PROXIES: '127.0.0.1', PATCHWATCH_ADDRESS_RATE: '6000/60' });
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    await api.box.cacheLink.client.flushall();
    await api.box.streams.client.del('pw:{notifier.identity.0}');
    await api.box.database.query('DELETE FROM sessions');
  });

  interface From {
    readonly address?: string;
    readonly agent?: string;
    readonly cookie?: string;
  }
  const logIn = (
    password = PASSWORD,
    { address = '203.0.113.1', agent = 'Browser A', cookie }: From = {},
    base = api.base,
  ) =>
    request<Body>(base, 'POST', '/api/v1/auth/login', {
      body: { email: EMAIL, password },
      headers: { 'x-forwarded-for': address, 'user-agent': agent, ...(cookie === undefined ? {} : { cookie }) },
    });
  type LoggedIn = Awaited<ReturnType<typeof logIn>>;
  const cookie = (name: string, reply: LoggedIn) =>
    `__Host-patchwatch-${name}=${new RegExp(`-${name}=([^;]+)`).exec(reply.headers.get('set-cookie') ?? '')![1]}`;
  const tokenOf = (reply: LoggedIn) => (reply.body.data as { access_token: string }).access_token;
  async function letters(kind: string): Promise<{ device: string; address: string }[]> {
    const entries = await api.box.streams.client.xrange('pw:{notifier.identity.0}', '-', '+');
    return entries
      .map(([, fields]) => fields.find((field) => field.includes(`"letter":"${kind}"`)))
      .filter((field) => field !== undefined)
      .map((field) => JSON.parse(field) as { device: string; address: string });
  }

  it('S11: guesses from everywhere lock the account for strangers, and not for its owner’s known device', async () => {
    const known = cookie('device', await logIn());
    let refused = 0;
    for (let network = 0; network < 26; network++) {
      const guesses = Array.from({ length: 4 }, () => logIn('a guess', { address: `198.51.${network}.7` }));
      for (const { status } of await Promise.all(guesses)) if (status === 429) refused++;
    }
    // A hundred were let through in all, of a hundred and four.
    expect(refused).toBe(4);
    expect(told(await logIn(PASSWORD, { address: '192.0.2.1' }))).toBe('429 too_many_attempts');
    expect((await logIn(PASSWORD, { address: '192.0.2.1', cookie: known })).status).toBe(200);
    // The device itself is no way to guess: five failures in its network, as anybody has.
    for (let i = 0; i < 5; i++) await logIn('a guess', { address: '192.0.2.200', cookie: known });
    expect(told(await logIn(PASSWORD, { address: '192.0.2.200', cookie: known }))).toBe('429 too_many_attempts');
    const forged = known.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect(told(await logIn(PASSWORD, { address: '192.0.3.1', cookie: forged }))).toBe('429 too_many_attempts');
  });

  it('S43: a log-in from a new place is told to her, once, and not from a device that is known', async () => {
    const known = cookie('device', await logIn());
    await logIn(PASSWORD, { address: '203.0.113.99' });
    await logIn(PASSWORD, { address: '198.51.100.1', cookie: known, agent: 'Browser A, updated' });
    await logIn(PASSWORD, { address: '192.0.2.1', agent: 'Browser B' });
    await logIn(PASSWORD, { address: '192.0.2.2', agent: 'Browser B' });
    await eventually(async () => (await letters('new_device')).length > 0, { what: 'the letter' });
    expect(await letters('new_device')).toMatchObject([{ device: 'Browser B', address: '192.0.2.1' }]);
  });

  it('S43: a right password after several wrong ones is told to her', async () => {
    for (let i = 0; i < 2; i++) await logIn('a guess');
    expect((await logIn()).status).toBe(200);
    for (let i = 0; i < 3; i++) await logIn('a guess');
    expect((await logIn()).status).toBe(200);
    await eventually(async () => (await letters('login_after_failures')).length > 0, { what: 'the letter' });
    expect(await letters('login_after_failures')).toHaveLength(1);
  });

  it('S33: secrets are changed with an overlap: what the one before signed is good until it ends', async () => {
    const [older, newer] = ['j'.repeat(40), 'n'.repeat(40)];
    const changed = await api.box.replica({ PATCHWATCH_JWT_SECRET: newer, PATCHWATCH_JWT_SECRET_PREVIOUS: older });
    const forgotten = await api.box.replica({ PATCHWATCH_JWT_SECRET: newer });
    const before = await logIn();
    const me = async (base: string, token: string) =>
      told(await request<Body>(base, 'GET', '/api/v1/auth/me', { token }));
    expect(await me(changed.url, tokenOf(before))).toBe('200');
    expect(await me(forgotten.url, tokenOf(before))).toBe('401 invalid_token');
    const refresh = (base: string, refreshCookie: string) =>
      request<Body>(base, 'POST', '/api/v1/auth/refresh', { body: {}, headers: { cookie: refreshCookie } });
    expect((await refresh(forgotten.url, cookie('refresh', before))).status).toBe(401);
    const refreshed = await refresh(changed.url, cookie('refresh', before));
    expect(refreshed.status).toBe(200);
    // From here on everything is of the new secret: the old one may go.
    expect(await me(forgotten.url, tokenOf(refreshed))).toBe('200');
    expect((await refresh(forgotten.url, cookie('refresh', refreshed))).status).toBe(200);
    expect(await me(api.base, tokenOf(refreshed))).toBe('401 invalid_token');
  });

  it('S33, S38: logs no tab out that asks now this replica, now the other, while they know the secrets in another order', async () => {
    const [older, newer] = ['j'.repeat(40), 'n'.repeat(40)];
    const waits = await api.box.replica({ PATCHWATCH_JWT_SECRET: older, PATCHWATCH_JWT_SECRET_PREVIOUS: newer });
    const changed = await api.box.replica({ PATCHWATCH_JWT_SECRET: newer, PATCHWATCH_JWT_SECRET_PREVIOUS: older });
    const refresh = async (base: string, refreshCookie: string) => {
      const reply = await request<Body>(base, 'POST', '/api/v1/auth/refresh', {
        body: {},
        headers: { cookie: refreshCookie },
      });
      expect(told(reply)).toBe('200');
      return cookie('refresh', reply);
    };
    const begun = cookie('refresh', await logIn());
    // Two tabs at once: the same secret, with the tag of each replica. Then each once more, before it sees the cookie of the other.
    const [here, there] = await Promise.all([refresh(waits.url, begun), refresh(changed.url, begun)]);
    const [one, other] = await Promise.all([refresh(waits.url, here), refresh(changed.url, there)]);
    const last = [await refresh(changed.url, one), await refresh(waits.url, other)];
    await refresh(changed.url, last[1]!);
  });

  it('S42, S18: an administrator ends a member’s sessions and has her written to, and sees no password', async () => {
    const administrator = await api.person('administrator');
    const member = await api.person('user', administrator.organizationId);
    const [row] = await api.box.database.query<{ uuid: string; email: string; organization: string }[]>(
      `SELECT u.uuid, u.email, o.uuid AS organization FROM users u, organizations o
        WHERE o.id = $1 ORDER BY u.id DESC LIMIT 1`,
      [administrator.organizationId],
    );
    const path = `/api/v1/organizations/${row!.organization}/members/${row!.uuid}`;
    const as = (method: string, where: string, token: string) => request<Body>(api.base, method, where, { token });
    expect((await as('DELETE', `${path}/sessions`, administrator.token)).status).toBe(204);
    expect(told(await as('GET', '/api/v1/auth/me', member.token))).toBe('401 invalid_token');
    const asked = await as('POST', `${path}/password-reset`, administrator.token);
    expect([asked.status, asked.body]).toEqual([202, '']);
    await eventually(async () => (await letters('password_reset')).length === 1, { what: 'the letter to the member' });
    const stranger = await api.person('administrator');
    expect(told(await as('DELETE', `${path}/sessions`, stranger.token))).toBe('404 not_found');
    const elsewhere = path.replace(row!.uuid, (await as('GET', '/api/v1/auth/me', stranger.token)).body.data['id']);
    expect(told(await as('POST', `${elsewhere}/password-reset`, administrator.token))).toBe('404 not_found');
  });

  it('S30: where an organization asks for it, a member can turn on a second factor and do nothing else', async () => {
    const administrator = await api.person('administrator');
    const [row] = await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [
      administrator.organizationId,
    ]);
    const as = (method: string, path: string, body?: unknown) =>
      request<Body>(api.base, method, path, { token: administrator.token, ...(body === undefined ? {} : { body }) });
    const wish = { requires_second_factor: true };
    expect(told(await as('PATCH', `/api/v1/organizations/${row!.uuid}`, wish))).toBe('200');
    const { body } = await request<{ paths: Record<string, Record<string, { security?: unknown[] }>> }>(
      api.base,
      'GET',
      '/docs/openapi.json',
    );
    const open: string[] = [];
    for (const [path, methods] of Object.entries(body.paths)) {
      for (const [method, { security }] of Object.entries(methods)) {
        // Routes for everybody, the one for sites' keys and the one for enrolment keys take no token. The log-out comes last.
        if (!JSON.stringify(security ?? []).includes('bearer') || path.endsWith('/logout')) continue;
        const reply = await as(
          method.toUpperCase(),
          path.replaceAll(/\{\w+\}/g, '8a6e0804-2bd0-4672-b79d-d97027f9071a'),
          method === 'get' ? undefined : {},
        );
        if (told(reply) !== '403 second_factor_required') open.push(`${method} ${path}`);
      }
    }
    expect(open.sort()).toEqual([
      'get /api/v1/auth/me',
      'get /api/v1/auth/two-factor',
      'post /api/v1/auth/step-up',
      'post /api/v1/auth/two-factor',
      'post /api/v1/auth/two-factor/confirm',
    ]);
    const begun = await as('POST', '/api/v1/auth/two-factor');
    const code = generateSync({ secret: (begun.body.data as { secret: string }).secret });
    expect((await as('POST', '/api/v1/auth/two-factor/confirm', { code })).status).toBe(200);
    expect(told(await as('GET', `/api/v1/organizations/${row!.uuid}`))).toBe('200');
  });
});
