import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { keyIdOf } from '../src/login/access-tokens.service.js';
import { EMAIL, gatewayInABox, logIn, PASSWORD, request, type Box } from './gateway-in-a-box.js';

interface Problem {
  readonly code: string;
  readonly detail: string;
}

const SECRET = 'j'.repeat(40);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token made by hand: any header, any claims, any signature. */
function forge(
  header: Record<string, unknown>,
  claims: Record<string, unknown>,
  secret: string = SECRET,
  algorithm = 'sha256',
): string {
  const body = `${encode(header)}.${encode(claims)}`;
  return `${body}.${createHmac(algorithm, secret).update(body).digest('base64url')}`;
}

describe('logging in', () => {
  let box: Box;
  let base: string;
  beforeAll(async () => {
    box = await gatewayInABox();
    base = box.gateway.url;
  });
  afterAll(() => box.close());
  beforeEach(() => box.cacheLink.client.flushall());

  const attempt = (email: string, password: string, url = base) =>
    request<
      Problem & {
        data: { access_token: string; token_type: string; expires_in: number; user: Record<string, unknown> };
      }
    >(url, 'POST', '/api/v1/auth/login', {
      body: { email, password },
    });
  const me = (token: string) =>
    request<Problem & { data: Record<string, unknown> }>(base, 'GET', '/api/v1/auth/me', { token });

  it('gives the first superuser a token by which she is known', async () => {
    const reply = await attempt(EMAIL.toUpperCase(), PASSWORD);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('private, no-store');
    expect(reply.body.data).toMatchObject({
      token_type: 'Bearer',
      expires_in: 900,
      user: { email: EMAIL, superuser: true },
    });
    const known = await me(reply.body.data.access_token);
    expect(known.body.data).toMatchObject({ email: EMAIL, superuser: true, memberships: [{ role: 'administrator' }] });
  });

  it('S05: keeps a tagged bcrypt hash and nothing else', async () => {
    const [user] = await box.database.query<{ password_hash: string }[]>('SELECT password_hash FROM users');
    // Cost 4 in tests; 12 is the default (see settings).
    expect(user!.password_hash).toMatch(/^pw1\$\$2b\$04\$/);
  });

  it('told the other services of the first organization and its first member', async () => {
    const [row] = await box.database.query<{ organizations: number; users: number }[]>(
      'SELECT (SELECT count(*)::int FROM organizations) AS organizations, (SELECT count(*)::int FROM users) AS users',
    );
    expect(row).toEqual({ organizations: 1, users: 1 });
    for (const queue of ['reporting.identity', 'notifier.identity']) {
      expect(await box.streams.client.xlen(`pw:{${queue}.0}`)).toBeGreaterThan(0);
    }
  });

  it('S09: answers the same for an unknown account, a wrong password and a disabled account', async () => {
    const wrong = await attempt(EMAIL, 'not the password');
    const unknown = await attempt('nobody@agency.example', 'not the password');
    await box.database.query('UPDATE users SET active = false');
    const disabled = await attempt(EMAIL, PASSWORD);
    await box.database.query('UPDATE users SET active = true');
    const bare = ({ status, body }: typeof wrong) => ({ status, ...body, request_id: '' });
    expect(bare(wrong)).toMatchObject({ status: 401, code: 'invalid_credentials' });
    expect(bare(unknown)).toEqual(bare(wrong));
    expect(bare(disabled)).toEqual(bare(wrong));
  });

  it('S10: stops after five failures, with the right password too, and counts parallel guesses', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 8 }, () => attempt(EMAIL, 'wrong').then(({ status }) => status)),
    );
    expect(statuses.sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    const right = await attempt(EMAIL, PASSWORD);
    expect([right.status, right.body.code]).toEqual([429, 'too_many_attempts']);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(290);
    // On every replica (S13); another account goes on (it fails for its own reason).
    const replica = await box.replica();
    expect((await attempt(EMAIL, PASSWORD, replica.url)).status).toBe(429);
    expect((await attempt('other@agency.example', 'wrong')).status).toBe(401);
  });

  it('S10: forgets failures when the password was right', async () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) expect((await attempt(EMAIL, 'wrong')).status).toBe(401);
      expect((await attempt(EMAIL, PASSWORD)).status).toBe(200);
    }
  });

  it('S12: stops one password that is tried on many accounts from one network', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 31; i++) statuses.push((await attempt(`person${i}@agency.example`, 'Summer2026!')).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(30);
    expect(statuses.at(-1)).toBe(429);
  });

  it('S13: lets nobody in while it cannot count', async () => {
    await box.cache.kill9();
    const reply = await attempt(EMAIL, PASSWORD);
    expect([reply.status, reply.body.code]).toEqual([503, 'unavailable']);
    expect(reply.headers.get('retry-after')).not.toBeNull();
    await box.cache.restart();
    await box.cacheLink.ready();
  });

  it.each<[string, unknown, string]>([
    ['a member too many (S53)', { email: EMAIL, password: PASSWORD, superuser: true }, '/superuser'],
    ['no password', { email: EMAIL }, '/password'],
    ['a list for an address', { email: [EMAIL], password: PASSWORD }, '/email'],
    ['half a character in the address', { email: 'a\ud800@agency.example', password: PASSWORD }, '/email'],
    ['what is nested beyond every stack', `${'{"email":'.repeat(20_000)}1${'}'.repeat(20_000)}`, ''],
    [
      'a prototype',
      JSON.stringify({ email: EMAIL, password: PASSWORD }).replace('{', '{"constructor":{"prototype":{}},'),
      '',
    ],
  ])('refuses %s', async (_what, body, pointer) => {
    const reply = await request<Problem & { errors?: { pointer: string }[] }>(base, 'POST', '/api/v1/auth/login', {
      body,
    });
    expect(reply.status).toBe(400);
    if (pointer !== '') expect(reply.body).toMatchObject({ code: 'validation_failed', errors: [{ pointer }] });
  });

  describe('S31, S32: a token', () => {
    let claims: Record<string, unknown>;
    const header = { alg: 'HS256', typ: 'at+jwt', kid: keyIdOf(SECRET) };
    const now = () => Math.floor(Date.now() / 1000);
    beforeEach(async () => {
      const token = await logIn(base);
      claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
      expect((await me(token)).status).toBe(200);
    });

    it('is taken when it is made exactly so: the forgeries below are refused for what they change', async () => {
      expect((await me(forge(header, claims))).status).toBe(200);
    });

    it.each<[string, () => string]>([
      ['without a signature', () => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
      ['with `none` in capitals', () => `${encode({ ...header, alg: 'nOnE' })}.${encode(claims)}.`],
      ['with another secret', () => forge(header, claims, 'k'.repeat(40))],
      ['with an empty secret', () => forge(header, claims, '')],
      ['by HS512', () => forge({ ...header, alg: 'HS512' }, claims, SECRET, 'sha512')],
      ['by HS384', () => forge({ ...header, alg: 'HS384' }, claims, SECRET, 'sha384')],
      ['that says RS256 and is signed by HMAC', () => forge({ ...header, alg: 'RS256' }, claims)],
      [
        'that brings its own key',
        () => {
          const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
          return forge({ ...header, jwk: publicKey.export({ format: 'jwk' }) }, claims);
        },
      ],
      ['that names a key of nobody', () => forge({ ...header, kid: '../../dev/null' }, claims)],
      ['S33: that names no key', () => forge({ alg: 'HS256', typ: 'at+jwt' }, claims)],
      ['that names a place of keys', () => forge({ ...header, jku: 'https://evil.example/keys' }, claims)],
      ['of another type', () => forge({ ...header, typ: 'JWT' }, claims)],
      ['of no type', () => forge({ alg: 'HS256', kid: keyIdOf(SECRET) }, claims)],
      ['that is too old', () => forge(header, { ...claims, iat: now() - 2000, nbf: now() - 2000, exp: now() - 1100 })],
      ['that is not good yet', () => forge(header, { ...claims, nbf: now() + 300 })],
      ['without a beginning', () => forge(header, { ...claims, nbf: undefined })],
      ['without an end', () => forge(header, { ...claims, exp: undefined })],
      ['that lives for a year', () => forge(header, { ...claims, exp: now() + 31_536_000 })],
      ['of another issuer', () => forge(header, { ...claims, iss: 'someone' })],
      ['for another audience', () => forge(header, { ...claims, aud: 'patchwatch-mfa' })],
      ['for nobody', () => forge(header, { ...claims, sub: undefined })],
      ['for a user who does not exist', () => forge(header, { ...claims, sub: randomUUID() })],
      ['for what is no UUID', () => forge(header, { ...claims, sub: `' OR 1=1 --` })],
      ['of an older session', () => forge(header, { ...claims, sv: 0 })],
      ['cut short', () => forge(header, claims).slice(0, -2)],
      ['that is nothing', () => 'x'],
    ])('%s is refused', async (_what, token) => {
      const reply = await me(token());
      expect([reply.status, reply.body.code]).toEqual([401, 'invalid_token']);
    });

    it('S41: is void as soon as the account is disabled or its sessions are ended', async () => {
      const token = forge(header, claims);
      await box.database.query('UPDATE users SET active = false');
      expect((await me(token)).status).toBe(401);
      await box.database.query('UPDATE users SET active = true, session_version = session_version + 1');
      expect((await me(token)).status).toBe(401);
      await box.database.query('UPDATE users SET session_version = 1');
    });

    it('is needed', async () => {
      const none = await request<Problem>(base, 'GET', '/api/v1/auth/me');
      expect([none.status, none.body.code]).toEqual([401, 'missing_credentials']);
      expect(none.headers.get('www-authenticate')).toContain('Bearer');
      expect((await request(base, 'GET', '/api/v1/auth/me', { headers: { authorization: 'Basic eDp5' } })).status).toBe(
        401,
      );
    });
  });
});
