import { randomUUID } from 'node:crypto';
import { eventually } from '#libs/testing';
import { generateSync } from 'otplib';
import type { DataSource, QueryRunner } from 'typeorm';
import { newOneTimeToken } from '../src/letter/one-time-token.js';
import { PasswordHasher } from '../src/login/password-hasher.service.js';
import { EMAIL, gatewayInABox, PASSWORD, request, type Box, type Reply } from './gateway-in-a-box.js';

interface Answer {
  readonly code?: string;
  readonly data: Record<string, string>;
}

const WANTED = 'nine quiet tomatoes hum';
/** As the box has it. */
const hasher = new PasswordHasher('p'.repeat(40), 4);

/** To check a password takes a quarter of a second, and to type a code minutes: what was decided in between counts. */
describe('what was changed while somebody proved who she is', () => {
  let box: Box;
  let dearer: string;
  beforeAll(async () => {
    box = await gatewayInABox();
    dearer = (await box.replica({ PATCHWATCH_PASSWORD_COST: '5' })).url;
  });
  afterAll(() => box.close());
  beforeEach(async () => {
    await box.cacheLink.client.flushall();
    for (const table of ['sessions', 'second_factors', 'backup_codes']) await sql(`DELETE FROM ${table}`);
    await setPassword(PASSWORD);
  });

  const sql = <T = unknown>(text: string, values: unknown[] = []) => box.database.query<T[]>(text, values);
  const setPassword = async (password: string, by: QueryRunner | DataSource = box.database) => {
    await by.query('UPDATE users SET password_hash = $1, active = true WHERE email = $2', [
      await hasher.hash(password),
      EMAIL,
    ]);
  };
  const post = (path: string, body: unknown, token?: string, url = box.gateway.url) =>
    request<Answer>(url, 'POST', `/api/v1/auth/${path}`, { body, ...(token === undefined ? {} : { token }) });
  const logIn = (password = PASSWORD, url = box.gateway.url) =>
    post('login', { email: EMAIL, password }, undefined, url);
  const told = ({ status, body }: Reply<Answer>) => [status, body.code];

  /** Lets `act` come as far as the account, changes it, and lets it go on. */
  async function meanwhile<T>(email: string, act: () => Promise<T>, change: (tx: QueryRunner) => Promise<unknown>) {
    const tx = box.database.createQueryRunner();
    try {
      await tx.startTransaction();
      await tx.query('SELECT 1 FROM users WHERE email = $1 FOR UPDATE', [email]);
      const done = act();
      await eventually(
        async () => {
          const [row] = await sql<{ waiting: number }>(
            `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return row!.waiting > 0;
        },
        { what: 'somebody to wait for the account' },
      );
      await change(tx);
      await tx.commitTransaction();
      return await done;
    } finally {
      if (tx.isTransactionActive) await tx.rollbackTransaction();
      await tx.release();
    }
  }

  it('S15, S41: a log-in with the password of before opens nothing once there is another', async () => {
    const late = await meanwhile(EMAIL, logIn, (tx) => setPassword(WANTED, tx));
    expect(told(late)).toEqual([401, 'invalid_credentials']);
    expect(await sql('SELECT 1 FROM sessions')).toEqual([]);
    expect((await logIn(WANTED)).status).toBe(200);
  });

  it('S41: a log-in opens nothing once the account is disabled', async () => {
    const late = await meanwhile(EMAIL, logIn, (tx) =>
      tx.query('UPDATE users SET active = false WHERE email = $1', [EMAIL]),
    );
    expect(told(late)).toEqual([401, 'invalid_credentials']);
    expect(await sql('SELECT 1 FROM sessions')).toEqual([]);
  });

  it('S06: a password that was only hashed anew is the same', async () => {
    expect((await meanwhile(EMAIL, logIn, (tx) => setPassword(PASSWORD, tx))).status).toBe(200);
  });

  it('S06: a hash that is made anew does not bring back the password of before', async () => {
    const late = await meanwhile(
      EMAIL,
      () => logIn(PASSWORD, dearer),
      (tx) => setPassword(WANTED, tx),
    );
    expect(told(late)).toEqual([401, 'invalid_credentials']);
    expect([(await logIn(PASSWORD)).status, (await logIn(WANTED)).status]).toEqual([401, 200]);
  });

  it('S08: of two who change the password at once, the second has not the one of now', async () => {
    const { access_token: token } = (await logIn()).body.data;
    const change = { current_password: PASSWORD, new_password: 'copper lanterns drift by' };
    const late = await meanwhile(
      EMAIL,
      () => post('password', change, token),
      (tx) => setPassword(WANTED, tx),
    );
    expect(told(late)).toEqual([403, 'wrong_password']);
    expect((await logIn(WANTED)).status).toBe(200);
  });

  it('S15, S26: a code finishes no log-in that was begun with the password of before', async () => {
    const { access_token: token } = (await logIn()).body.data;
    const { secret } = (await post('two-factor', undefined, token)).body.data;
    const code = () => generateSync({ secret: secret! });
    expect((await post('two-factor/confirm', { code: code() }, token)).status).toBe(200);
    await sql('UPDATE second_factors SET last_step = 0');
    const { challenge } = (await logIn()).body.data;
    await setPassword(WANTED);
    expect(told(await post('second-factor', { challenge, code: code() }))).toEqual([401, 'invalid_challenge']);
    const again = (await logIn(WANTED)).body.data;
    expect((await post('second-factor', { challenge: again.challenge, code: code() })).status).toBe(200);
  });

  it('S19: an account that is disabled or erased becomes nobody’s member', async () => {
    const email = 'gone@agency.example';
    const token = newOneTimeToken('pwi');
    await sql(
      `INSERT INTO users (uuid, email, name, password_hash, created_at) SELECT $1, $2, 'Gone', password_hash, now() FROM users WHERE superuser`,
      [randomUUID(), email],
    );
    await sql(
      `INSERT INTO invitations (uuid, organization_id, email, role, token_hash, invited_by, created_at, expires_at)
       SELECT $1, organization_id, $2, 'user', $3, user_id, now(), now() + interval '1 day' FROM memberships LIMIT 1`,
      [randomUUID(), email, token.hash],
    );
    const late = await meanwhile(
      email,
      () => post('invitation', { token: token.text, password: PASSWORD }),
      (tx) => tx.query('UPDATE users SET active = false WHERE email = $1', [email]),
    );
    expect(told(late)).toEqual([401, 'invalid_credentials']);
    expect(await sql('SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id AND u.email = $1', [email])).toEqual(
      [],
    );
  });
});
