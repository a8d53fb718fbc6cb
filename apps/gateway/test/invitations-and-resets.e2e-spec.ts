import { eventually } from '#libs/testing';
import { generateSync } from 'otplib';
import { apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { EMAIL, PASSWORD, request } from './gateway-in-a-box.js';

const WANTED = 'nine quiet tomatoes hum';

describe('letters that open something', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox({ PATCHWATCH_PUBLIC_URL: 'https://patchwatch.agency.example/' });
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    await api.box.cacheLink.client.flushall();
    await api.box.streams.client.del('pw:{notifier.identity.0}');
  });

  const post = (path: string, body: unknown, token?: string, headers: Record<string, string> = {}) =>
    request<Body>(api.base, 'POST', `/api/v1/${path}`, { body, headers, ...(token === undefined ? {} : { token }) });
  const logIn = (email: string, password: string) => post('auth/login', { email, password });
  const tokenOf = (reply: Awaited<ReturnType<typeof logIn>>) =>
    (reply.body.data as { access_token: string }).access_token;
  const uuidOf = async (id: number) =>
    (await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [id]))[0]!.uuid;

  /** The letters that are due, the newest last. */
  async function letters(kind: string): Promise<{ email: string; link: string }[]> {
    const entries = await api.box.streams.client.xrange('pw:{notifier.identity.0}', '-', '+');
    return entries
      .map(([, fields]) => fields.find((field) => field.includes(`"letter":"${kind}"`)))
      .filter((field) => field !== undefined)
      .map((field) => JSON.parse(field) as { email: string; link: string });
  }
  const letter = (kind: string, email: string, count = 1) =>
    eventually(
      async () => {
        const found = (await letters(kind)).filter((one) => one.email === email);
        return found.length >= count ? found.at(-1) : null;
      },
      { what: `the letter ${kind} to ${email}` },
    );
  const tokenIn = ({ link }: { link: string }) => new URL(link).hash.slice(1);

  describe('an invitation', () => {
    it('S19: makes a new account a member of that organization, once, and logs nobody in', async () => {
      const { token, organizationId } = await api.person('administrator');
      const id = await uuidOf(organizationId);
      const invited = await post(
        `organizations/${id}/invitations`,
        { email: 'New@Agency.example', role: 'developer' },
        token,
      );
      expect(told(invited)).toBe('201');
      const { link } = await letter('invitation', 'new@agency.example');
      // S17, S19: the address is the setting's; the secret is behind the #, in no answer, and stored as a hash.
      expect(link.startsWith('https://patchwatch.agency.example/invitation#pwi.')).toBe(true);
      const secret = tokenIn({ link });
      expect(JSON.stringify(invited.body)).not.toContain(secret);
      const [dump] = await api.box.database.query<{ text: string }[]>(
        'SELECT concat((SELECT json_agg(i) FROM invitations i), (SELECT json_agg(a) FROM audit_log a)) AS text',
      );
      expect(dump!.text).toContain('new@agency.example');
      expect(dump!.text).not.toContain(secret);
      expect(told(await post('auth/invitation', { token: secret, password: WANTED }))).toBe(
        '400 validation_failed required:/name',
      );
      const accept = (password: string) => post('auth/invitation', { token: secret, name: 'Ada', password });
      expect(told(await accept('too short'))).toBe('400 validation_failed too_short:/password');
      const accepted = await Promise.all([accept(WANTED), accept(WANTED)]);
      expect(accepted.map(({ status }) => status).sort()).toEqual([200, 403]);
      expect(accepted.find(({ status }) => status === 200)!.headers.get('set-cookie')).toBeNull();
      expect(told(await accept(WANTED))).toBe('403 invalid_link');
      const me = await request<Body>(api.base, 'GET', '/api/v1/auth/me', {
        token: tokenOf(await logIn('new@agency.example', WANTED)),
      });
      expect(me.body.data).toMatchObject({
        email: 'new@agency.example',
        name: 'Ada',
        superuser: false,
        memberships: [{ organization_id: id, role: 'developer' }],
      });
    });

    it.each(['"a\r\nBcc: b@evil.example"@agency.example', '"a, b"@agency.example', 'a\u200b@agency.example'])(
      'S66, S67: is not sent to what could be more than one address: %j',
      async (email) => {
        const { token, organizationId } = await api.person('administrator');
        const path = `organizations/${await uuidOf(organizationId)}/invitations`;
        expect(told(await post(path, { email, role: 'user' }, token))).toBe(
          '400 validation_failed wrong_format:/email',
        );
      },
    );

    it('S19: wants the password of the account that is there, and is not for another organization or role', async () => {
      const [first, second] = [await api.person('administrator'), await api.person('administrator')];
      const id = await uuidOf(second.organizationId);
      expect(told(await post(`organizations/${id}/invitations`, { email: EMAIL, role: 'user' }, first.token))).toBe(
        '404 not_found',
      );
      const invite = await post(`organizations/${id}/invitations`, { email: EMAIL, role: 'user' }, second.token);
      expect(invite.status).toBe(201);
      const token = tokenIn(await letter('invitation', EMAIL));
      expect(told(await post('auth/invitation', { token, password: 'not hers, but long' }))).toBe(
        '401 invalid_credentials',
      );
      expect(told(await post('auth/invitation', { token, password: PASSWORD, role: 'administrator' }))).toContain(
        'unknown_member',
      );
      expect((await post('auth/invitation', { token, password: PASSWORD })).status).toBe(200);
      const members = await request<Body>(api.base, 'GET', `/api/v1/organizations/${id}/members`, {
        token: second.token,
      });
      expect(members.body.data).toContainEqual(expect.objectContaining({ email: EMAIL, role: 'user' }));
    });

    it('S19: brings nobody back, nor up again, whose membership was decided on after it was sent', async () => {
      const { token, organizationId } = await api.person('administrator');
      const id = await uuidOf(organizationId);
      for (const method of ['PATCH', 'DELETE']) {
        const user = await api.member('administrator', organizationId);
        const [member] = await api.box.database.query<{ email: string }[]>('SELECT email FROM users WHERE uuid = $1', [
          user,
        ]);
        const { email } = member!;
        const invited = { email: email.toUpperCase(), role: 'administrator' };
        expect((await post(`organizations/${id}/invitations`, invited, token)).status).toBe(201);
        const link = tokenIn(await letter('invitation', email));
        const { status } = await request(api.base, method, `/api/v1/organizations/${id}/members/${user}`, {
          token,
          headers: { 'if-match': '*' },
          ...(method === 'PATCH' ? { body: { role: 'developer' } } : {}),
        });
        expect(status).toBe(204);
        expect(told(await post('auth/invitation', { token: link, password: PASSWORD }))).toBe('403 invalid_link');
      }
    });

    it('S19: makes one account with another that is accepted at the same time', async () => {
      const email = 'twice@agency.example';
      const links: string[] = [];
      for (const count of [1, 2]) {
        const { token, organizationId } = await api.person('administrator');
        const path = `organizations/${await uuidOf(organizationId)}/invitations`;
        expect((await post(path, { email, role: 'user' }, token)).status).toBe(201);
        links.push(tokenIn(await letter('invitation', email, count)));
      }
      const accepted = await Promise.all(
        links.map((token) => post('auth/invitation', { token, name: 'Ada', password: WANTED })),
      );
      expect(accepted.map(({ status }) => status)).toEqual([200, 200]);
    });

    it('S19: makes nobody less who is the only administrator', async () => {
      const { token, organizationId } = await api.person('administrator');
      const id = await uuidOf(organizationId);
      const { email } = (await api.get('/api/v1/auth/me', {}, token)).body.data as { email: string };
      expect((await post(`organizations/${id}/invitations`, { email, role: 'developer' }, token)).status).toBe(201);
      const accept = { token: tokenIn(await letter('invitation', email)), password: PASSWORD };
      expect(told(await post('auth/invitation', accept))).toBe('409 last_administrator');
      await api.member('administrator', organizationId);
      expect((await post('auth/invitation', accept)).status).toBe(200);
    });

    it('S19: ends: by time, when it is taken back, when another follows, and with its organization', async () => {
      const { token, organizationId } = await api.person('administrator');
      const id = await uuidOf(organizationId);
      const path = `organizations/${id}/invitations`;
      const email = 'late@agency.example';
      const tokens: string[] = [];
      for (let count = 1; count <= 4; count++) {
        const invited = await post(path, { email, role: 'user' }, token);
        tokens.push(tokenIn(await letter('invitation', email, count)));
        const { id: invitation } = invited.body.data as { id: string };
        if (count === 2)
          expect((await request(api.base, 'DELETE', `/api/v1/${path}/${invitation}`, { token })).status).toBe(204);
        if (count === 3)
          await api.box.database.query('UPDATE invitations SET expires_at = now() WHERE uuid = $1', [invitation]);
      }
      const list = await request<Body>(api.base, 'GET', `/api/v1/${path}`, { token });
      expect([list.body.meta.total, list.body.data]).toEqual([1, [expect.objectContaining({ email })]]);
      await request(api.base, 'DELETE', `/api/v1/organizations/${id}`, { token: api.token });
      for (const one of tokens)
        expect(told(await post('auth/invitation', { token: one, name: 'Late', password: WANTED }))).toBe(
          '403 invalid_link',
        );
    });
  });

  describe('a forgotten password', () => {
    const ask = (email: string, headers: Record<string, string> = {}) =>
      post('auth/password-reset', { email }, undefined, headers);
    const confirm = (token: string, new_password = WANTED) =>
      post('auth/password-reset/confirm', { token, new_password });
    async function asked(email: string, count = 1): Promise<string> {
      expect((await ask(email)).status).toBe(202);
      return tokenIn(await letter('password_reset', email, count));
    }
    async function account(): Promise<string> {
      const { organizationId } = await api.person('user');
      const uuid = await api.member('user', organizationId);
      return (await api.box.database.query<{ email: string }[]>('SELECT email FROM users WHERE uuid = $1', [uuid]))[0]!
        .email;
    }

    it('S15, S17: is answered the same for every address; only the account is written to, with a link to where we are', async () => {
      const email = await account();
      const [known, unknown] = [
        await ask(email, { 'x-forwarded-host': 'evil.example' }),
        await ask('nobody@agency.example'),
      ];
      expect([known.status, known.body]).toEqual([202, unknown.body]);
      const { link } = await letter('password_reset', email);
      expect(link.startsWith('https://patchwatch.agency.example/reset-password#pwp.')).toBe(true);
      expect(await letters('password_reset')).toHaveLength(1);
      const [dump] = await api.box.database.query<{ text: string }[]>(
        'SELECT json_agg(r)::text AS text FROM password_resets r',
      );
      expect(dump!.text).not.toContain(tokenIn({ link }));
    });

    it('S15, S16: is replaced once; it ends all sessions, opens none, and the person is told', async () => {
      const email = await account();
      const before = tokenOf(await logIn(email, PASSWORD));
      const token = await asked(email);
      expect(told(await confirm(token, 'too short'))).toBe('400 validation_failed too_short:/new_password');
      const replies = await Promise.all([confirm(token), confirm(token)]);
      expect(replies.map(({ status }) => status).sort()).toEqual([204, 403]);
      expect(replies.every(({ headers }) => headers.get('set-cookie') === null)).toBe(true);
      expect(told(await confirm(token))).toBe('403 invalid_link');
      expect((await request(api.base, 'GET', '/api/v1/auth/me', { token: before })).status).toBe(401);
      expect([(await logIn(email, PASSWORD)).status, (await logIn(email, WANTED)).status]).toEqual([401, 200]);
      await letter('password_changed', email);
    });

    it('S15: has links that end: by time, by the next one, and when the password was changed otherwise', async () => {
      const email = await account();
      const [first, second] = [await asked(email), await asked(email, 2)];
      expect(told(await confirm(first))).toBe('403 invalid_link');
      const session = tokenOf(await logIn(email, PASSWORD));
      await post('auth/password', { current_password: PASSWORD, new_password: PASSWORD }, session);
      expect(told(await confirm(second))).toBe('403 invalid_link');
      const third = await asked(email, 3);
      await api.box.database.query('UPDATE password_resets SET expires_at = now() WHERE used_at IS NULL');
      expect(told(await confirm(third))).toBe('403 invalid_link');
    });

    it('S16: does not pass by a second factor', async () => {
      const email = await account();
      const session = tokenOf(await logIn(email, PASSWORD));
      const { secret } = (await post('auth/two-factor', undefined, session)).body.data as { secret: string };
      expect((await post('auth/two-factor/confirm', { code: generateSync({ secret }) }, session)).status).toBe(200);
      expect((await confirm(await asked(email))).status).toBe(204);
      expect((await logIn(email, WANTED)).body.data).toHaveProperty('challenge');
    });

    it('S10: is not asked for in masses', async () => {
      const statuses: number[] = [];
      for (let i = 0; i < 6; i++) statuses.push((await ask('nobody@agency.example')).status);
      expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    });
  });
});
