import { exportData, listSites, QUEUES } from '#libs/contracts';
import { streamKey } from '#libs/streams';
import { eventually } from '#libs/testing';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { request } from './gateway-in-a-box.js';

describe('what is removed', () => {
  let api: Api;
  let administrator: { token: string; organizationId: number };
  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
    administrator = await api.person('administrator');
  });
  afterAll(() => api.close());

  const ask = (token: string, method: string, path: string, body?: unknown) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { token, body });
  const sql = <T>(text: string, values: unknown[] = []) => api.box.database.query<T[]>(text, values);
  const newSite = async (token: string) =>
    (
      (await ask(token, 'POST', 'sites', { name: 'Shop', url: 'https://shop.example' })).body.data as {
        site: { id: string };
      }
    ).site.id;
  const isTold = (queue: string, ...parts: string[]) =>
    eventually(
      async () => {
        const entries = await api.box.streams.client.xrange(`pw:{${queue}.0}`, '-', '+');
        return entries.some(([, fields]) => parts.every((part) => fields.join().includes(part)));
      },
      { what: `${parts.join(' and ')} in ${queue}` },
    );

  it('S77 is on record before the first line of an export is out', async () => {
    for (const part of Object.values(exportData)) api.others.answer(part, () => ({ rows: [], next: null }));
    const [organization] = await sql<{ uuid: string }>('SELECT uuid FROM organizations WHERE id = $1', [
      administrator.organizationId,
    ]);
    const me = (await ask(administrator.token, 'GET', 'auth/me')).body.data as { id: string };
    for (const [path, subject] of [
      [`organizations/${organization!.uuid}`, `organization:${organization!.uuid}`],
      [`users/${me.id}`, `user:${me.id}`],
    ]) {
      const response = await fetch(`${api.base}/api/v1/${path}/export`, {
        headers: { authorization: `Bearer ${administrator.token}` },
      });
      expect(
        await sql(`SELECT actor FROM audit_log WHERE action LIKE '%.exported' AND subject = $1`, [subject]),
      ).toEqual([{ actor: `user:${me.id}` }]);
      await response.text();
    }
  });

  it('a site comes back with its history by an administrator; its keys stay dead', async () => {
    const site = await newSite(administrator.token);
    const user = await api.person('user', administrator.organizationId);
    await sql('UPDATE sites SET removed_at = now(), revision = revision + 1 WHERE uuid = $1', [site]);
    const list = await ask(administrator.token, 'GET', 'removed-sites');
    expect(list.body.data).toMatchObject([{ id: site, name: 'Shop' }]);
    const stranger = await api.person('administrator');
    expect(told(await ask(stranger.token, 'POST', `removed-sites/${site}/restore`))).toBe('404 not_found');
    expect(told(await ask(user.token, 'POST', `removed-sites/${site}/restore`))).toBe('403 forbidden');
    expect(told(await ask(administrator.token, 'POST', `removed-sites/${site}/restore`))).toBe('200');
    expect((await ask(administrator.token, 'GET', 'removed-sites')).body.data).toEqual([]);
    expect(told(await ask(administrator.token, 'GET', `sites/${site}`))).toBe('200');
    await isTold('ingest.sites', site, '"removed_at":null');
    const lines = await sql(
      `SELECT 1 FROM audit_log WHERE action = 'site.restored' AND outcome = 'done' AND subject = $1`,
      [`site:${site}`],
    );
    expect(lines).toHaveLength(1);
  });

  it('S83 goes for good when its time is over, a site by itself and an organization with all it has', async () => {
    const [old, young] = [await newSite(administrator.token), await newSite(administrator.token)];
    const other = await api.person('administrator');
    const lost = await newSite(other.token);
    await sql(`UPDATE sites SET removed_at = now() - interval '31 days' WHERE uuid = $1`, [old]);
    await sql(`UPDATE sites SET removed_at = now() - interval '29 days' WHERE uuid = $1`, [young]);
    await sql(`UPDATE organizations SET removed_at = now() - interval '31 days' WHERE id = $1`, [other.organizationId]);
    await sql(`UPDATE sites SET removed_at = now() - interval '31 days' WHERE uuid = $1`, [lost]);
    const replica = await api.box.replica();
    const erasures = await eventually(
      async () => {
        const rows = await sql<{ kind: string; cause: string; subject: { site_ids: number[] } }>(
          'SELECT kind, cause, subject FROM erasures ORDER BY kind',
        );
        return rows.length === 2 ? rows : null;
      },
      { what: 'both erasures to begin' },
    );
    expect(erasures).toMatchObject([
      { kind: 'organization', cause: 'retention', subject: { organization_id: other.organizationId } },
      { kind: 'sites', cause: 'retention' },
    ]);
    expect(await sql('SELECT uuid FROM sites WHERE uuid = ANY ($1)', [[old, young, lost]])).toEqual([{ uuid: young }]);
    for (const table of [
      'organizations WHERE id',
      'memberships WHERE organization_id',
      'api_keys WHERE organization_id',
    ])
      expect(await sql(`SELECT 1 FROM ${table} = $1`, [other.organizationId])).toEqual([]);
    for (const queue of ['ingest.sites', 'catalog.modules', 'reporting.identity', 'notifier.identity'])
      await isTold(queue, 'erasure-due');
    await replica.stop();
  });

  it('of two who are the only administrators and erase themselves at once, one stays', async () => {
    const one = await api.person('administrator');
    const people = [one, await api.person('administrator', one.organizationId)];
    const wishes = await Promise.all(
      people.map(async ({ token }) => {
        const { id } = (await ask(token, 'GET', 'auth/me')).body.data as { id: string };
        return { token, body: { subject: 'user', id } };
      }),
    );
    const begun = await Promise.all(wishes.map(({ token, body }) => ask(token, 'POST', 'erasures', body)));
    expect(begun.map(told).sort()).toEqual(['202', '409 last_administrator']);
  });

  it('a person is erased by herself or a superuser, with a recent proof, unless somebody needs her', async () => {
    const person = await api.person('developer', administrator.organizationId);
    const id = ((await ask(person.token, 'GET', 'auth/me')).body.data as { id: string }).id;
    const body = { subject: 'user', id };
    expect(told(await ask(administrator.token, 'POST', 'erasures', body))).toBe('403 forbidden');
    await sql(
      `UPDATE sessions SET authenticated_at = now() - interval '6 minutes' WHERE user_id = (SELECT id FROM users WHERE uuid = $1)`,
      [id],
    );
    expect(told(await ask(person.token, 'POST', 'erasures', body))).toBe('403 step_up_required');
    await sql('UPDATE sessions SET authenticated_at = now()');
    const me = ((await ask(administrator.token, 'GET', 'auth/me')).body.data as { id: string }).id;
    expect(told(await ask(administrator.token, 'POST', 'erasures', { subject: 'user', id: me }))).toBe(
      '409 last_administrator',
    );
    const root = ((await ask(api.token, 'GET', 'auth/me')).body.data as { id: string }).id;
    expect(told(await ask(api.token, 'POST', 'erasures', { subject: 'user', id: root }))).toBe(
      '409 last_administrator',
    );
    const begun = await ask(person.token, 'POST', 'erasures', body);
    expect(told(begun)).toBe('202');
    expect(told(await ask(person.token, 'GET', 'auth/me'))).toBe('401 invalid_token');
    const [row] = await sql<{ email: string; name: string; active: boolean }>(
      'SELECT email, name, active FROM users WHERE uuid = $1',
      [id],
    );
    expect(row).toEqual({ email: `erased-${id}@erased.invalid`, name: 'Erased', active: false });
    const { id: erasure } = begun.body.data as { id: string };
    expect((await ask(api.token, 'GET', `erasures/${erasure}`)).body.data).toMatchObject({
      state: 'running',
      services: { gateway: { erased_rows: { users: 1, memberships: 1, sessions: 1 } }, ingest: { state: 'waiting' } },
    });
    expect(told(await ask(administrator.token, 'GET', `erasures/${erasure}`))).toBe('404 not_found');
  });

  /** A person who may be erased, and by whose token. */
  async function somebody(): Promise<{ id: string; userId: number; email: string; token: string }> {
    const { token } = await api.person('developer', administrator.organizationId);
    const { id } = (await ask(token, 'GET', 'auth/me')).body.data as { id: string };
    const [row] = await sql<{ id: number; email: string }>('SELECT id, email FROM users WHERE uuid = $1', [id]);
    return { id, userId: row!.id, email: row!.email, token };
  }
  const erase = (token: string, id: string) => ask(token, 'POST', 'erasures', { subject: 'user', id });

  it('S83 makes nobody of a person whose name is the one that nobody gets', async () => {
    const { id, userId, token } = await somebody();
    await sql(`UPDATE users SET name = 'Erased' WHERE id = $1`, [userId]);
    expect(told(await erase(token, id))).toBe('202');
    expect(await sql('SELECT email, active, password_hash FROM users WHERE id = $1', [userId])).toEqual([
      { email: `erased-${id}@erased.invalid`, active: false, password_hash: '' },
    ]);
  });

  it('S83 leaves no wish for a new password that is being written down in the moment of the erasure', async () => {
    const { id, userId, email, token } = await somebody();
    const waiting = (statement: string) =>
      eventually(
        async () =>
          (
            await sql(
              `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ILIKE $1`,
              [statement],
            )
          ).length > 0,
        { what: `${statement} to wait` },
      );
    const holder = api.box.database.createQueryRunner();
    await holder.startTransaction();
    try {
      await holder.query('LOCK TABLE outbox IN SHARE ROW EXCLUSIVE MODE');
      expect((await ask('', 'POST', 'auth/password-reset', { email })).status).toBe(202);
      // The wish is written but not committed: its letter waits. The erasure comes to its end before it, or waits for it.
      await waiting('%INSERT INTO outbox%');
      const erased = erase(token, id);
      await waiting('%users%for update%').catch(() => waiting('DELETE FROM "outbox"%'));
      await holder.commitTransaction();
      expect(told(await erased)).toBe('202');
    } finally {
      if (holder.isTransactionActive) await holder.rollbackTransaction();
      await holder.release();
    }
    const lines = () =>
      sql(`SELECT 1 FROM audit_log WHERE action = 'password.reset_asked' AND subject = $1`, [`user:${id}`]);
    await eventually(async () => (await lines()).length === 1, { what: 'the wish to be written' });
    expect(await sql('SELECT 1 FROM password_resets WHERE user_id = $1', [userId])).toEqual([]);
  });

  /** The next look of a gateway finds it due. @param answered all have answered its first round */
  async function makeDue(erasure: string, answered: boolean): Promise<void> {
    const part = { round: 1, last: 0, more: false, erased: {} };
    const parts = answered ? { ingest: part, catalog: part, reporting: part, notifier: part } : {};
    await sql('UPDATE erasures SET next_round_at = now(), parts = parts || $2::jsonb WHERE uuid = $1', [
      erasure,
      JSON.stringify(parts),
    ]);
  }
  const inRound = (erasure: string, round: number) =>
    eventually(
      async () => {
        const { body } = await ask(api.token, 'GET', `erasures/${erasure}`);
        const data = body.data as { round: number; services: Record<string, { erased_rows: unknown }> };
        return data.round === round ? data.services : null;
      },
      { what: `round ${round}` },
    );
  /** Nobody reads the queues here: what lies in them would only get older. */
  async function emptyQueues(): Promise<void> {
    for (const { name } of Object.values(QUEUES)) await api.box.streams.client.del(streamKey(name, 0));
  }

  it('S83 finds in a later round what a request has written since the first', async () => {
    const { id, userId, token } = await somebody();
    const { id: erasure } = (await erase(token, id)).body.data as { id: string };
    await sql(
      `INSERT INTO password_resets (user_id, token_hash, password_mark, created_at, expires_at)
       VALUES ($1, sha256('late'), sha256(''), now(), now())`,
      [userId],
    );
    await emptyQueues();
    await makeDue(erasure, true);
    const services = await inRound(erasure, 2);
    expect(services['gateway']).toMatchObject({ erased_rows: { users: 1, password_resets: 1 } });
    expect(await sql('SELECT 1 FROM password_resets WHERE user_id = $1', [userId])).toEqual([]);
  });

  it('S83 begins no round that could be the last while anybody is behind with what was told before', async () => {
    const erasures: string[] = [];
    for (const { id, token } of [await somebody(), await somebody()])
      erasures.push(((await erase(token, id)).body.data as { id: string }).id);
    const [answered, unanswered] = erasures as [string, string];
    await emptyQueues();
    const inventory = streamKey(QUEUES.reportingInventory.name, 0);
    await api.box.streams.client.xadd(inventory, `${Date.now() - 61_000}-0`, 'of', 'the erased');
    await makeDue(answered, true);
    await makeDue(unanswered, false);
    // One look sees to both, in this order: who has not answered is asked again.
    await eventually(
      async () =>
        (await sql('SELECT 1 FROM erasures WHERE uuid = $1 AND next_round_at > now()', [unanswered])).length === 1,
      { what: 'the other to be asked again' },
    );
    expect(await sql('SELECT round FROM erasures WHERE uuid = ANY ($1)', [erasures])).toEqual([
      { round: 1 },
      { round: 1 },
    ]);
    await api.box.streams.client.del(inventory);
    await inRound(answered, 2);
  });

  it('S41 ends an export whose reader is no administrator any more, or logged out, and S77 notes it', async () => {
    const [organization] = await sql<{ uuid: string }>('SELECT uuid FROM organizations WHERE id = $1', [
      administrator.organizationId,
    ]);
    for (const part of Object.values(exportData)) api.others.answer(part, () => ({ rows: [], next: null }));
    const page = { rows: [{ table: 'sites', row: { id: 1 } }], next: 'more' };
    for (const [end, noted] of [
      [`UPDATE memberships SET role = 'user' WHERE user_id = $1`, 2],
      [`UPDATE sessions SET ended_at = now() WHERE user_id = $1`, 1],
    ] as const) {
      const reader = await api.person('administrator', administrator.organizationId);
      const { id } = (await ask(reader.token, 'GET', 'auth/me')).body.data as { id: string };
      const [user] = await sql<{ id: number }>('SELECT id FROM users WHERE uuid = $1', [id]);
      let pages = 0;
      api.others.answer(exportData.ingest, async () => {
        if (++pages === 3) await sql(end, [user!.id]);
        return page;
      });
      const response = await fetch(`${api.base}/api/v1/organizations/${organization!.uuid}/export`, {
        headers: { authorization: `Bearer ${reader.token}` },
      });
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow('terminated');
      expect(pages).toBe(3);
      // The audit log has both: what was begun, and what was refused.
      await eventually(
        async () =>
          (await sql(`SELECT 1 FROM audit_log WHERE action = 'organization.exported' AND actor = $1`, [`user:${id}`]))
            .length === noted,
        { what: `${noted} lines of the export` },
      );
    }
  });
});
