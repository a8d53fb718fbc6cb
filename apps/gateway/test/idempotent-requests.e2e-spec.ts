import { randomUUID } from 'node:crypto';
import { customModules, moduleSync } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { inventory, PASSWORD, request } from './gateway-in-a-box.js';

describe('requests under an Idempotency-Key', () => {
  let api: Api;
  let administrator: { token: string; organizationId: number };
  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(moduleSync, () => null);
    api.others.answer(customModules, () => ({ items: [] }));
    administrator = await api.person('administrator');
  });
  afterAll(() => api.close());

  const post = (path: string, body: unknown, key: string, token = administrator.token, base = api.base) =>
    request<Body>(base, 'POST', `/api/v1/${path}`, { token, body, headers: { 'idempotency-key': key } });
  const site = (name: string) => ({ name, url: `https://${name}.example` });
  const sitesNamed = async (name: string) =>
    (await api.box.database.query<unknown[]>('SELECT 1 FROM sites WHERE name = $1', [name])).length;
  const isReplayed = (reply: { headers: Headers }) => reply.headers.get('idempotent-replayed');

  it('are done once, on whichever replica they come again, and answered alike, the key that is shown once included', async () => {
    const replica = await api.box.replica();
    const key = randomUUID();
    const first = await post('sites', site('once'), key);
    const again = await post('sites', site('once'), key);
    const elsewhere = await post('sites', site('once'), key, administrator.token, replica.url);
    expect([first, again, elsewhere].map((reply) => [reply.status, isReplayed(reply)])).toEqual([
      [201, null],
      [201, 'true'],
      [201, 'true'],
    ]);
    expect(again.body).toEqual(first.body);
    expect(elsewhere.body).toEqual(first.body);
    expect(again.headers.get('cache-control')).toBe('private, no-store');
    expect(await sitesNamed('once')).toBe(1);
    const made = first.body.data as { site: { id: string }; key: string };
    const pushed = await request(api.base, 'POST', `/api/v1/sites/${made.site.id}/modules/sync`, {
      key: made.key,
      body: inventory(made.site.id),
    });
    expect(pushed.status).toBe(202);
  });

  it('S46: lie in the database so that neither the answer nor the Idempotency-Key can be read there', async () => {
    const key = randomUUID();
    const { body } = await post('sites', site('sealed'), key);
    const rows = await api.box.database.query<{ all: string }[]>(
      `SELECT encode(answer, 'escape') || encode(key_hash, 'hex') AS all FROM idempotent_requests`,
    );
    const all = rows.map((row) => row.all).join();
    expect(all).not.toContain((body.data as { key: string }).key);
    expect(all).not.toContain(key);
    expect(all).not.toContain('sealed.example');
  });

  it('are one when they come at the same time: one is done, the others are told to wait', async () => {
    const key = randomUUID();
    // The one that is done comes to no end before the others are answered.
    const tx = api.box.database.createQueryRunner();
    await tx.startTransaction();
    let answered = 0;
    const asked = [];
    try {
      await tx.query('LOCK TABLE sites IN SHARE MODE');
      for (let i = 0; i < 8; i++)
        asked.push(
          post('sites', site('parallel'), key).then((reply) => {
            answered++;
            return reply;
          }),
        );
      await eventually(() => answered === 7, { what: 'all but one to be answered' });
    } finally {
      await tx.commitTransaction();
      await tx.release();
    }
    const replies = await Promise.all(asked);
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await sitesNamed('parallel')).toBe(1);
    expect(new Set(replies.map(told))).toEqual(new Set(['201', '409 idempotent_request_running']));
    const waiting = replies.find(({ status }) => status === 409);
    expect(Number(waiting?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('are others when body differs, and when who asks or the address does', async () => {
    const key = randomUUID();
    await post('sites', site('mine'), key);
    expect(told(await post('sites', site('changed'), key))).toBe('422 idempotency_key_reused');
    const other = await api.person('administrator');
    const theirs = await post('sites', site('mine'), key, other.token);
    expect([theirs.status, isReplayed(theirs)]).toEqual([201, null]);
    const module = await post('modules', { name: 'own_module', title: 'Own' }, key);
    expect(isReplayed(module)).toBeNull();
  });

  it('keep what was refused, and are tried anew after what says to come back', async () => {
    const [wrong, sensitive] = [randomUUID(), randomUUID()];
    for (const replayed of [null, 'true']) {
      const reply = await post('sites', { name: 'x' }, wrong);
      expect([told(reply), isReplayed(reply)]).toEqual(['400 validation_failed required:/url', replayed]);
    }
    const [organization] = await api.box.database.query<{ uuid: string }[]>(
      'SELECT uuid FROM organizations WHERE id = $1',
      [administrator.organizationId],
    );
    const path = `organizations/${organization!.uuid}/integration-keys`;
    const wish = { name: 'x', scopes: ['sites:read'] };
    await api.box.database.query(`UPDATE sessions SET authenticated_at = now() - interval '6 minutes'`);
    expect(told(await post(path, wish, sensitive))).toBe('403 step_up_required');
    await post('auth/step-up', { password: PASSWORD }, randomUUID());
    expect(told(await post(path, wish, sensitive))).toBe('201');
  });

  it('are done again when the server failed', async () => {
    const key = randomUUID();
    await api.box.database.query('ALTER TABLE outbox RENAME TO outbox_away');
    expect((await post('sites', site('failed'), key)).status).toBe(500);
    await api.box.database.query('ALTER TABLE outbox_away RENAME TO outbox');
    const reply = await post('sites', site('failed'), key);
    expect([reply.status, isReplayed(reply)]).toEqual([201, null]);
    expect(await sitesNamed('failed')).toBe(1);
  });

  it('say that nobody knows when their gateway died, and are free again after a day', async () => {
    const key = randomUUID();
    await post('sites', site('lost'), key);
    await api.box.database.query(
      `UPDATE idempotent_requests SET status = NULL, answer = NULL, started_at = now() - interval '2 minutes'`,
    );
    expect(told(await post('sites', site('lost'), key))).toBe('409 idempotent_request_lost');
    await api.box.database.query(`UPDATE idempotent_requests SET started_at = now() - interval '25 hours'`);
    expect(told(await post('sites', site('lost'), key))).toBe('201');
    expect(await sitesNamed('lost')).toBe(2);
  });

  it('need the key where a thing would be there twice, and a key of the form that keys have', async () => {
    expect(told(await post('sites', site('none'), ''))).toBe('400 idempotency_key_required');
    expect(told(await post('sites', site('none'), 'with space'))).toBe('400 invalid_idempotency_key');
    expect(told(await post('sites', site('none'), 'x'.repeat(256)))).toBe('400 invalid_idempotency_key');
    expect((await post('modules', { name: 'without_key', title: 'Own' }, '')).status).toBe(201);
  });

  it('are not answered from memory to who may not ask any more', async () => {
    const leaving = await api.person('administrator');
    const key = randomUUID();
    expect((await post('sites', site('left'), key, leaving.token)).status).toBe(201);
    await post('auth/logout', {}, randomUUID(), leaving.token);
    expect(told(await post('sites', site('left'), key, leaving.token))).toBe('401 invalid_token');
  });
});
