import { randomUUID } from 'node:crypto';
import { eventually } from '#libs/testing';
import { generateSync } from 'otplib';
import { EMAIL, gatewayInABox, PASSWORD, request, type Box, type Reply } from './gateway-in-a-box.js';

interface Answer {
  readonly code?: string;
  readonly data: never;
}

describe('a second factor', () => {
  let box: Box;
  let base: string;
  let replica: string;
  beforeAll(async () => {
    // Hundreds of requests with credentials that are not good.
    box = await gatewayInABox({ PATCHWATCH_ADDRESS_RATE: '100000/60' });
    base = box.gateway.url;
    replica = (await box.replica()).url;
  });
  afterAll(() => box.close());
  beforeEach(async () => {
    await box.cacheLink.client.flushall();
    for (const table of ['sessions', 'second_factors', 'backup_codes'])
      await box.database.query(`DELETE FROM ${table}`);
  });

  const post = (path: string, body?: unknown, token?: string, url = base) =>
    request<Answer>(url, 'POST', `/api/v1/auth/${path}`, { body, ...(token === undefined ? {} : { token }) });
  const told = ({ status, body }: Reply<Answer>) => [status, body.code];
  const tokenOf = ({ body }: Reply<Answer>) => (body.data as { access_token: string }).access_token;
  const password = () => post('login', { email: EMAIL, password: PASSWORD });
  const codeOf = (secret: string, secondsAgo = 0) =>
    generateSync({ secret, epoch: Math.floor(Date.now() / 1000) - secondsAgo });
  /** As if the codes of before had never been used: tests are quicker than codes change. */
  const forgetStep = () => box.database.query('UPDATE second_factors SET last_step = 0');

  async function challenge(): Promise<string> {
    const reply = await password();
    expect(reply.status).toBe(200);
    return (reply.body.data as { challenge: string }).challenge;
  }
  async function enrol(): Promise<{ token: string; secret: string; codes: string[] }> {
    const token = tokenOf(await password());
    const begun = await post('two-factor', undefined, token);
    expect(begun.status).toBe(201);
    const { secret } = begun.body.data as { secret: string };
    const confirmed = await post('two-factor/confirm', { code: codeOf(secret) }, token);
    expect(confirmed.status).toBe(200);
    await forgetStep();
    return { token, secret, codes: (confirmed.body.data as { backup_codes: string[] }).backup_codes };
  }
  const state = async (token: string) =>
    (await request<Answer>(base, 'GET', '/api/v1/auth/two-factor', { token })).body.data as {
      enabled: boolean;
      backup_codes_left: number;
    };

  it('S22: counts once a code of the app was confirmed, and not before', async () => {
    const token = tokenOf(await password());
    const { secret } = (await post('two-factor', undefined, token)).body.data as { secret: string };
    expect((await state(token)).enabled).toBe(false);
    const wrong = codeOf(secret, 3600);
    expect(told(await post('two-factor/confirm', { code: wrong }, token))).toEqual([403, 'invalid_code']);
    expect((await password()).body.data).toHaveProperty('access_token');
    expect((await post('two-factor/confirm', { code: codeOf(secret) }, token)).status).toBe(200);
    expect((await password()).body.data).toEqual({ challenge: expect.any(String) as string, expires_in: 300 });
    expect(told(await post('two-factor', undefined, token))).toEqual([409, 'second_factor_on']);
  });

  it('S21, S27, S79: leaves neither seed nor codes readable in the database, nor shows them again', async () => {
    const { token, secret, codes } = await enrol();
    const [dump] = await box.database.query<{ text: string }[]>(
      `SELECT concat((SELECT json_agg(f) FROM second_factors f), (SELECT json_agg(b) FROM backup_codes b), (SELECT json_agg(a) FROM audit_log a)) AS text`,
    );
    expect(dump!.text).toContain('sealed_seed');
    expect(dump!.text).toContain('second_factor.turned_on');
    for (const hidden of [
      secret,
      Buffer.from(secret).toString('hex'),
      ...codes,
      ...codes.map((code) => code.replaceAll('-', '')),
    ])
      expect(dump!.text).not.toContain(hidden);
    expect(await state(token)).toEqual({ enabled: true, since: expect.any(String) as string, backup_codes_left: 10 });
    const [code] = await box.database.query<{ code_hash: string }[]>('SELECT code_hash FROM backup_codes LIMIT 1');
    expect(code!.code_hash).toMatch(/^pw1\$\$2b\$/);
  });

  it('S23: takes a code once: later not again, and of two at the same time, at two replicas, one', async () => {
    const { secret } = await enrol();
    const code = codeOf(secret);
    const [first, second, third] = [await challenge(), await challenge(), await challenge()];
    const replies = await Promise.all([
      post('second-factor', { challenge: first, code }),
      post('second-factor', { challenge: second, code }, undefined, replica),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 403]);
    const winner = replies.find(({ status }) => status === 200)!;
    expect(winner.headers.get('set-cookie')).toContain('__Host-');
    expect((await request(base, 'GET', '/api/v1/auth/me', { token: tokenOf(winner) })).status).toBe(200);
    expect(told(await post('second-factor', { challenge: third, code }))).toEqual([403, 'invalid_code']);
  });

  it('S24: takes no older code after a newer one', async () => {
    const { secret } = await enrol();
    // Not at the end of a code's time: the one before it would be two old when it arrives, and too old by itself.
    await eventually(() => Math.floor(Date.now() / 1000) % 30 < 24, { what: 'another code', timeoutMs: 15_000 });
    const older = codeOf(secret, 30);
    expect((await post('second-factor', { challenge: await challenge(), code: codeOf(secret) })).status).toBe(200);
    expect(told(await post('second-factor', { challenge: await challenge(), code: older }))).toEqual([
      403,
      'invalid_code',
    ]);
    await forgetStep();
    // Alone it would have been good: people type slowly.
    expect((await post('second-factor', { challenge: await challenge(), code: codeOf(secret, 30) })).status).toBe(200);
  });

  it('S25: lets nobody guess: five codes an account in five minutes, and five a challenge', async () => {
    const { secret } = await enrol();
    const owed = await challenge();
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++)
      statuses.push((await post('second-factor', { challenge: owed, code: codeOf(secret, 3600 + i * 30) })).status);
    expect(statuses).toEqual([403, 403, 403, 403, 403]);
    expect(told(await post('second-factor', { challenge: owed, code: codeOf(secret) }))).toEqual([
      401,
      'invalid_challenge',
    ]);
    const other = await post('second-factor', { challenge: await challenge(), code: codeOf(secret) });
    expect(told(other)).toEqual([429, 'too_many_attempts']);
    expect(Number(other.headers.get('retry-after'))).toBeGreaterThan(200);
  });

  /** Routes for everybody: whoever is not known gets what she would get without any credentials. The second factor's own is not among them. */
  const FOR_EVERYBODY = [
    'POST /api/v1/auth/login',
    'POST /api/v1/auth/refresh',
    'POST /api/v1/auth/invitation',
    'POST /api/v1/auth/password-reset',
    'POST /api/v1/auth/password-reset/confirm',
  ];
  const ITS_OWN = 'POST /api/v1/auth/second-factor';

  it.each<[string, (secret: string) => Promise<string>]>([
    ['between password and code', () => challenge()],
    [
      'that was met',
      async (secret) => {
        const owed = await challenge();
        expect((await post('second-factor', { challenge: owed, code: codeOf(secret) })).status).toBe(200);
        await forgetStep();
        return owed;
      },
    ],
    [
      'that was guessed at five times',
      async (secret) => {
        const owed = await challenge();
        for (let i = 0; i < 5; i++)
          await post('second-factor', { challenge: owed, code: codeOf(secret, 3600 + i * 30) });
        await box.cacheLink.client.del(...(await box.cacheLink.client.keys('pw:login:codes:*')));
        return owed;
      },
    ],
  ])('S26: a challenge %s opens no route of the description, however it is sent', async (_what, give) => {
    const { secret } = await enrol();
    const owed = await give(secret);
    const { body } = await request<{ paths: Record<string, Record<string, { security?: readonly unknown[] }>> }>(
      base,
      'GET',
      '/docs/openapi.json',
    );
    const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security = [] }]) => ({
        route: `${method.toUpperCase()} ${path}`,
        isOpen: security.length === 0,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, () => randomUUID()),
      })),
    );
    const open = routes.filter(({ isOpen }) => isOpen).map(({ route }) => route);
    expect(open.sort()).toEqual([...FOR_EVERYBODY, ITS_OWN].sort());
    expect(routes.length).toBeGreaterThan(80);
    const cookie = `__Host-patchwatch-refresh=${owed}`;
    const opened: string[] = [];
    for (const { route, method, path } of routes) {
      if (route === ITS_OWN) continue;
      const sent = { body: method === 'GET' ? undefined : {} };
      const expected = FOR_EVERYBODY.includes(route) ? (await request(base, method, path, sent)).status : 401;
      for (const [how, who] of Object.entries({
        token: { token: owed },
        key: { key: owed },
        cookie: { headers: { cookie } },
      })) {
        const { status } = await request(base, method, path, { ...sent, ...who });
        if (status !== expected) opened.push(`${route} by ${how}: ${status} instead of ${expected}`);
      }
    }
    expect(opened).toEqual([]);
    // Nor is it a link of a mail.
    expect(told(await post('password-reset/confirm', { token: owed, new_password: PASSWORD }))).toEqual([
      403,
      'invalid_link',
    ]);
    expect(told(await post('invitation', { token: owed, name: 'x', password: PASSWORD }))).toEqual([
      403,
      'invalid_link',
    ]);
  });

  it('S26: a challenge is for its own route, once; no other kind of token will do there', async () => {
    const { secret, token } = await enrol();
    const owed = await challenge();
    const code = codeOf(secret);
    expect(told(await post('second-factor', { challenge: token, code }))).toEqual([400, 'validation_failed']);
    expect((await post('second-factor', { challenge: owed, code })).status).toBe(200);
    await forgetStep();
    expect(told(await post('second-factor', { challenge: owed, code }))).toEqual([401, 'invalid_challenge']);
  });

  it('S28: a backup code logs in once, of two at the same time, at two replicas, once; new ones make the old ones worthless', async () => {
    const { token, codes } = await enrol();
    const [first, second] = [await challenge(), await challenge()];
    const replies = await Promise.all([
      post('second-factor', { challenge: first, code: codes[0] }),
      post('second-factor', { challenge: second, code: codes[0] }, undefined, replica),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 403]);
    expect((await state(token)).backup_codes_left).toBe(9);
    const lines = await box.database.query<unknown[]>(
      `SELECT id FROM audit_log WHERE action = 'second_factor.backup_code_used'`,
    );
    expect(lines).toHaveLength(1);
    await eventually(
      async () => {
        const entries = await box.streams.client.xrange('pw:{notifier.identity.0}', '-', '+');
        return entries.some(([, fields]) => fields.join().includes('backup_code_used'));
      },
      { what: 'the letter of its use' },
    );
    const renewed = await post('two-factor/backup-codes', undefined, token);
    expect(renewed.status).toBe(201);
    const fresh = (renewed.body.data as { backup_codes: string[] }).backup_codes;
    expect(told(await post('second-factor', { challenge: await challenge(), code: codes[1] }))).toEqual([
      403,
      'invalid_code',
    ]);
    expect((await post('second-factor', { challenge: await challenge(), code: fresh[0]!.toLowerCase() })).status).toBe(
      200,
    );
  });

  it('S29: is changed and turned off only shortly after password and code', async () => {
    const { token, secret, codes } = await enrol();
    await box.database.query(`UPDATE sessions SET authenticated_at = now() - interval '6 minutes'`);
    const off = () => request<Answer>(base, 'DELETE', '/api/v1/auth/two-factor', { token });
    expect(told(await off())).toEqual([403, 'step_up_required']);
    expect(told(await post('two-factor/backup-codes', undefined, token))).toEqual([403, 'step_up_required']);
    expect(told(await post('step-up', { password: PASSWORD }, token))).toEqual([403, 'invalid_code']);
    expect(told(await post('step-up', { password: 'wrong', code: codeOf(secret) }, token))).toEqual([
      403,
      'wrong_password',
    ]);
    expect(told(await off())).toEqual([403, 'step_up_required']);
    expect((await post('step-up', { password: PASSWORD, code: codeOf(secret) }, token)).status).toBe(204);
    expect((await off()).status).toBe(204);
    expect((await password()).body.data).toHaveProperty('access_token');
    expect((await state(token)).backup_codes_left).toBe(0);
    expect(codes).toHaveLength(10);
  });

  it('S01: lets a password of 12 characters do, which alone would be too short', async () => {
    const { token } = await enrol();
    const to = (new_password: string, current_password: string) =>
      post('password', { current_password, new_password }, token);
    expect(told(await to('kranichfeue', PASSWORD))).toEqual([400, 'validation_failed']);
    expect((await to('kranichfeuer', PASSWORD)).status).toBe(204);
    expect((await to(PASSWORD, 'kranichfeuer')).status).toBe(204);
  });
});
