import { randomUUID } from 'node:crypto';
import { eventually } from '#libs/testing';
import { EMAIL, gatewayInABox, PASSWORD, request, type Box, type Reply } from './gateway-in-a-box.js';

interface Answer {
  readonly code?: string;
  readonly errors?: { pointer: string; code: string }[];
  readonly data: never;
  readonly meta: { sessions_ended?: number };
}
interface LoggedIn {
  readonly token: string;
  readonly sessionId: string;
  readonly cookie: string;
  readonly reply: Reply<Answer>;
}

const COOKIE = '__Host-patchwatch-refresh';

describe('sessions', () => {
  let box: Box;
  let base: string;
  beforeAll(async () => {
    box = await gatewayInABox();
    base = box.gateway.url;
  });
  afterAll(() => box.close());
  beforeEach(async () => {
    await box.cacheLink.client.flushall();
    await box.database.query('DELETE FROM sessions');
  });

  const cookieOf = (reply: Reply<unknown>) => /refresh=([^;]+)/.exec(reply.headers.get('set-cookie') ?? '')?.[1] ?? '';
  async function logIn(password = PASSWORD, email = EMAIL): Promise<LoggedIn> {
    const reply = await request<Answer>(base, 'POST', '/api/v1/auth/login', { body: { email, password } });
    expect(reply.status).toBe(200);
    const data = reply.body.data as { access_token: string; session_id: string };
    return { token: data.access_token, sessionId: data.session_id, cookie: cookieOf(reply), reply };
  }
  const refresh = (cookie: string, headers: Record<string, string> = {}, url = base) =>
    request<Answer>(url, 'POST', '/api/v1/auth/refresh', {
      body: {},
      headers: { cookie: `theme=dark; ${COOKIE}=${cookie}`, ...headers },
    });
  const as = (token: string, method: string, path: string, body?: unknown) =>
    request<Answer>(base, method, `/api/v1/auth/${path}`, { token, body });
  const told = ({ status, body }: Reply<Answer>) => [status, body.code];
  const audited = async (action: string) => {
    const lines = await eventually(
      async () => {
        const found = await box.database.query<{ reason: string | null; detail: Record<string, unknown> }[]>(
          'SELECT reason, detail FROM audit_log WHERE action = $1 ORDER BY id DESC',
          [action],
        );
        return found.length > 0 ? found : null;
      },
      { what: `the line ${action}` },
    );
    return lines[0]!;
  };

  const isWritten = (letter: string) =>
    eventually(
      async () => {
        const entries = await box.streams.client.xrange('pw:{notifier.identity.0}', '-', '+');
        return entries.some(([, fields]) => fields.join().includes(`"letter":"${letter}"`));
      },
      { what: `the letter ${letter}` },
    );

  describe('a refresh token', () => {
    it('S34: travels in a cookie that no script, no other host and no plain connection gets, and is stored as a hash', async () => {
      const { reply, cookie } = await logIn();
      const header = reply.headers.get('set-cookie')!;
      expect(header.startsWith(`${COOKIE}=`)).toBe(true);
      for (const attribute of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict']) expect(header).toContain(attribute);
      expect(header).not.toContain('Domain');
      const secret = cookie.split('.')[2]!;
      expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
      expect(JSON.stringify(reply.body)).not.toContain(secret);
      await audited('login.succeeded');
      const [dump] = await box.database.query<{ text: string }[]>(
        `SELECT (SELECT json_agg(s)::text FROM sessions s) || (SELECT json_agg(a)::text FROM audit_log a) AS text`,
      );
      expect(dump!.text).not.toContain(secret);
      expect(dump!.text).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
    });

    it('S35: is replaced by each use; what it gives opens the API', async () => {
      const first = await logIn();
      const second = await refresh(first.cookie);
      expect(second.status).toBe(200);
      expect(cookieOf(second)).not.toBe(first.cookie);
      const { access_token, session_id } = second.body.data as { access_token: string; session_id: string };
      expect(session_id).toBe(first.sessionId);
      expect((await as(access_token, 'GET', 'me')).status).toBe(200);
      expect((await refresh(cookieOf(second))).status).toBe(200);
    });

    it('S36: that comes again later was copied: the whole session ends, and the audit log says so', async () => {
      const { cookie, token } = await logIn();
      const next = cookieOf(await refresh(cookie));
      await box.database.query(`UPDATE sessions SET rotated_at = now() - interval '11 seconds'`);
      const again = await refresh(cookie);
      expect(told(again)).toEqual([401, 'invalid_refresh_token']);
      expect(again.headers.get('set-cookie')).toContain('Max-Age=0');
      expect(told(await refresh(next))).toEqual([401, 'invalid_refresh_token']);
      expect(told(await as(token, 'GET', 'me'))).toEqual([401, 'invalid_token']);
      expect((await audited('session.refresh')).reason).toBe('token_reused');
      await isWritten('session_token_reused');
    });

    it('S37: is forgiven for ten seconds when it is the one just replaced, and not when it is older', async () => {
      const { cookie } = await logIn();
      const second = cookieOf(await refresh(cookie));
      expect(cookieOf(await refresh(cookie))).toBe(second);
      expect((await refresh(second)).status).toBe(200);
      expect(told(await refresh(cookie))).toEqual([401, 'invalid_refresh_token']);
      expect(told(await refresh(second))).toEqual([401, 'invalid_refresh_token']);
    });

    it('S38: that several tabs send at once gives all of them the same successor', async () => {
      const { cookie } = await logIn();
      const replica = await box.replica();
      const replies = await Promise.all([base, replica.url, base, replica.url].map((url) => refresh(cookie, {}, url)));
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      const [successor, ...others] = replies.map(cookieOf);
      expect(new Set(others)).toEqual(new Set([successor]));
      expect((await refresh(successor!)).status).toBe(200);
    });

    it.each<[string, (cookie: string) => string]>([
      ['nothing', () => ''],
      ['an invented one of a session that lives', (cookie) => cookie.replace(/\.[\w-]{43}\./, `.${'A'.repeat(43)}.`)],
      ['one of another session', (cookie) => cookie.replace(/^pwr\.[0-9a-f]{32}/, `pwr.${'0'.repeat(32)}`)],
      ['one cut short', (cookie) => cookie.slice(0, -1)],
    ])('S36: %s is refused and ends nothing', async (_what, change) => {
      const { cookie, token } = await logIn();
      expect(told(await refresh(change(cookie)))).toEqual([401, 'invalid_refresh_token']);
      expect((await as(token, 'GET', 'me')).status).toBe(200);
      expect((await refresh(cookie)).status).toBe(200);
    });

    it('S71: is taken from our own pages and from programs, not from pages of others nor from forms', async () => {
      const { cookie } = await logIn();
      expect(told(await refresh(cookie, { origin: 'https://evil.example' }))).toEqual([403, 'foreign_origin']);
      expect(told(await refresh(cookie, { origin: 'null' }))).toEqual([403, 'foreign_origin']);
      expect(told(await refresh(cookie, { 'sec-fetch-site': 'cross-site' }))).toEqual([403, 'foreign_origin']);
      const form = await request<Answer>(base, 'POST', '/api/v1/auth/refresh', {
        headers: { cookie: `${COOKIE}=${cookie}` },
      });
      expect(told(form)).toEqual([415, 'unsupported_media_type']);
      expect((await refresh(cookie, { origin: base })).status).toBe(200);
    });

    it('S41: is void when the account is disabled', async () => {
      const { cookie } = await logIn();
      await box.database.query('UPDATE users SET active = false');
      const refused = await refresh(cookie);
      await box.database.query('UPDATE users SET active = true');
      expect(told(refused)).toEqual([401, 'invalid_refresh_token']);
    });
  });

  it('S39: are three at most: a fourth ends the one used least recently, and says so', async () => {
    const [first, second, third] = [await logIn(), await logIn(), await logIn()];
    await box.database.query(`UPDATE sessions SET last_seen_at = now() - interval '2 minutes' WHERE uuid = $1`, [
      second.sessionId,
    ]);
    const fourth = await logIn();
    expect([third.reply.body.meta.sessions_ended, fourth.reply.body.meta.sessions_ended]).toEqual([0, 1]);
    const statuses: number[] = [];
    for (const { token } of [first, second, third, fourth]) statuses.push((await as(token, 'GET', 'me')).status);
    expect(statuses).toEqual([200, 401, 200, 200]);
    expect((await audited('session.ended')).detail).toMatchObject({ reason: 'too_many' });
  });

  it('S39: are three when five log-ins come at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => logIn()));
    const [live] = await box.database.query<{ count: number }[]>(
      'SELECT count(*)::int AS count FROM sessions WHERE ended_at IS NULL',
    );
    expect(live!.count).toBe(3);
  });

  it('S40: end after 24 hours without use, and after 30 days whatever happens', async () => {
    const [idle, old] = [await logIn(), await logIn()];
    const age = (id: string, column: string, time: string) =>
      box.database.query(`UPDATE sessions SET ${column} = ${time} WHERE uuid = $1`, [id]);
    await age(idle.sessionId, 'last_seen_at', `now() - interval '23 hours 59 minutes'`);
    // A look is a use: the clock starts anew.
    expect((await as(idle.token, 'GET', 'me')).status).toBe(200);
    await age(idle.sessionId, 'last_seen_at', `now() - interval '24 hours'`);
    await age(old.sessionId, 'expires_at', 'now()');
    for (const { token, cookie } of [idle, old]) {
      expect(told(await as(token, 'GET', 'me'))).toEqual([401, 'invalid_token']);
      expect(told(await refresh(cookie))).toEqual([401, 'invalid_refresh_token']);
    }
    const [row] = await box.database.query<{ days: number }[]>(
      `SELECT extract(epoch FROM expires_at - started_at) / 86400 AS days FROM sessions WHERE uuid = $1`,
      [idle.sessionId],
    );
    expect(Number(row!.days)).toBe(30);
  });

  it('S41: end with the log-out, at once and for good', async () => {
    const { token, cookie } = await logIn();
    const reply = await as(token, 'POST', 'logout');
    expect([reply.status, reply.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect(told(await as(token, 'GET', 'me'))).toEqual([401, 'invalid_token']);
    expect(told(await refresh(cookie))).toEqual([401, 'invalid_refresh_token']);
    expect((await audited('session.ended')).detail).toMatchObject({ reason: 'logged_out' });
  });

  it('S42: are listed for their owner and ended by her: one, or all others; nobody else can', async () => {
    const [here, there, elsewhere] = [await logIn(), await logIn(), await logIn()];
    const list = await as(here.token, 'GET', 'sessions');
    const rows = list.body.data as { id: string; current: boolean; address: string; device: string }[];
    expect(rows.filter(({ current }) => current)).toMatchObject([
      { id: here.sessionId, address: '127.0.0.1', device: 'node' },
    ]);
    expect(rows).toHaveLength(3);
    await box.database.query(
      `INSERT INTO users (uuid, email, name, password_hash, created_at)
         SELECT $1, 'other@agency.example', 'Other', password_hash, now() FROM users WHERE superuser`,
      [randomUUID()],
    );
    const other = await logIn(PASSWORD, 'other@agency.example');
    expect(told(await as(other.token, 'DELETE', `sessions/${there.sessionId}`))).toEqual([404, 'not_found']);
    expect((await as(here.token, 'DELETE', `sessions/${there.sessionId}`)).status).toBe(204);
    expect(told(await as(here.token, 'DELETE', `sessions/${there.sessionId}`))).toEqual([404, 'not_found']);
    expect((await as(here.token, 'DELETE', 'sessions')).status).toBe(204);
    const statuses: number[] = [];
    for (const { token } of [here, there, elsewhere, other]) statuses.push((await as(token, 'GET', 'me')).status);
    expect(statuses).toEqual([200, 401, 401, 200]);
  });

  describe('the password', () => {
    const WANTED = 'nine quiet tomatoes hum';
    const change = (token: string, body: Record<string, unknown>) => as(token, 'POST', 'password', body);

    it('S08: is changed by who knows it; others who are logged in as her are so no longer', async () => {
      const [here, there] = [await logIn(), await logIn()];
      const wrong = await change(here.token, { current_password: 'not it', new_password: WANTED });
      expect(told(wrong)).toEqual([403, 'wrong_password']);
      const done = await change(here.token, { current_password: PASSWORD, new_password: WANTED });
      expect(done.status).toBe(204);
      expect((await audited('password.changed')).detail).toEqual({ sessions_ended: 1 });
      await isWritten('password_changed');
      expect([(await as(here.token, 'GET', 'me')).status, (await as(there.token, 'GET', 'me')).status]).toEqual([
        200, 401,
      ]);
      const back = await logIn(WANTED);
      await box.database.query(`UPDATE users SET name = 'Ferdinand Blaubart'`);
      // Own words (S03), and too short (S01): refused with what is wrong.
      for (const [password, code] of [
        ['Ferdinand-Blaubart1', 'too_common'],
        ['kurz und knapp', 'too_short'],
      ]) {
        const refused = await change(back.token, { current_password: WANTED, new_password: password });
        expect(refused.body.errors).toMatchObject([{ pointer: '/new_password', code }]);
      }
      const kept = await change(back.token, {
        current_password: WANTED,
        new_password: PASSWORD.toUpperCase(),
        end_other_sessions: false,
      });
      expect(kept.status).toBe(204);
      expect((await as(here.token, 'GET', 'me')).status).toBe(200);
      // S04: what was typed is what counts, to the letter.
      const folded = await request<Answer>(base, 'POST', '/api/v1/auth/login', {
        body: { email: EMAIL, password: PASSWORD },
      });
      expect(folded.status).toBe(401);
      await change(back.token, { current_password: PASSWORD.toUpperCase(), new_password: PASSWORD });
    });

    it('S10: cannot be guessed by who found a screen unlocked', async () => {
      const { token } = await logIn();
      const statuses: number[] = [];
      for (let i = 0; i < 6; i++)
        statuses.push((await as(token, 'POST', 'step-up', { password: `guess ${i}` })).status);
      expect(statuses).toEqual([403, 403, 403, 403, 403, 429]);
      expect((await change(token, { current_password: PASSWORD, new_password: WANTED })).status).toBe(429);
    });

    it('S29: given again makes the session a recent one', async () => {
      const { token, sessionId } = await logIn();
      await box.database.query(`UPDATE sessions SET authenticated_at = now() - interval '1 hour'`);
      expect((await as(token, 'POST', 'step-up', { password: PASSWORD })).status).toBe(204);
      const [row] = await box.database.query<{ seconds: number }[]>(
        'SELECT extract(epoch FROM now() - authenticated_at)::int AS seconds FROM sessions WHERE uuid = $1',
        [sessionId],
      );
      expect(row!.seconds).toBeLessThan(30);
    });
  });
});
