import { randomUUID } from 'node:crypto';
import { listSites } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { inventory, request } from './gateway-in-a-box.js';

describe('tenants', () => {
  let api: Api;
  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
  });
  afterAll(() => api.close());

  const ask = (token: string, method: string, path: string, body?: unknown) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { token, body });
  const uuidOf = async (table: 'organizations' | 'users', id: number) =>
    (await api.box.database.query<{ uuid: string }[]>(`SELECT uuid FROM ${table} WHERE id = $1`, [id]))[0]!.uuid;
  const me = async (token: string) => ((await ask(token, 'GET', 'auth/me')).body.data as { id: string }).id;
  const audited = (action: string, subject: string) =>
    eventually(
      async () => {
        const rows = await api.box.database.query<{ outcome: string; reason: string | null; detail: unknown }[]>(
          'SELECT outcome, reason, detail FROM audit_log WHERE action = $1 AND subject = $2 ORDER BY id DESC',
          [action, subject],
        );
        return rows[0];
      },
      { what: `the line ${action}` },
    );
  const isTold = (queue: string, ...parts: string[]) =>
    eventually(
      async () => {
        const entries = await api.box.streams.client.xrange(`pw:{${queue}.0}`, '-', '+');
        return entries.some(([, fields]) => parts.every((part) => fields.join().includes(part)));
      },
      { what: `${parts.join(' and ')} in ${queue}` },
    );

  describe('an organization', () => {
    it('is added by a superuser, changed by its administrator, told to the others; every change is a revision', async () => {
      const created = await ask(api.token, 'POST', 'organizations', { name: 'Agency', time_zone: 'Europe/Zurich' });
      expect(told(created)).toBe('201');
      const { id, revision } = created.body.data as { id: string; revision: number };
      expect(revision).toBe(1);
      const [row] = await api.box.database.query<{ id: number }[]>('SELECT id FROM organizations WHERE uuid = $1', [
        id,
      ]);
      const { token } = await api.person('administrator', row!.id);
      const changed = await ask(token, 'PATCH', `organizations/${id}`, { name: 'Agency & Daughters' });
      expect(changed.body.data).toMatchObject({
        id,
        name: 'Agency & Daughters',
        time_zone: 'Europe/Zurich',
        revision: 2,
      });
      await isTold('reporting.identity', id, 'Agency & Daughters');
      const { body } = await ask(token, 'GET', `organizations/${id}/revisions`);
      expect(body.data).toMatchObject([
        { revision: 2, name: 'Agency & Daughters', changed_by: await me(token) },
        { revision: 1, name: 'Agency', changed_by: await me(api.token) },
      ]);
      expect(body.meta).toMatchObject({ total: 2, page: 1 });
      expect((await audited('organization.changed', `organization:${id}`)).detail).toMatchObject({
        before: { name: 'Agency' },
      });
    });

    it.each<[string, unknown, string]>([
      ['no name', {}, '400 validation_failed required:/name'],
      ['a blank name', { name: ' ' }, '400 validation_failed wrong_format:/name'],
      ['a time zone of no land', { name: 'a', time_zone: 'Moon/Sea' }, '400 validation_failed wrong_format:/time_zone'],
      [
        'S53: members that are not the caller’s to set',
        { name: 'a', revision: 9, id: 3 },
        '400 validation_failed unknown_member:/revision unknown_member:/id',
      ],
    ])('is not added from %s', async (_what, body, expected) => {
      expect(told(await ask(api.token, 'POST', 'organizations', body))).toBe(expected);
    });

    it('goes with its sites and their keys, at once, and comes back with what went with it', async () => {
      const { token, organizationId } = await api.person('administrator');
      const id = await uuidOf('organizations', organizationId);
      const site = async () =>
        (await ask(token, 'POST', 'sites', { name: 'x', url: 'https://x.example' })).body.data as {
          site: { id: string };
          key: string;
        };
      const [kept, gone] = [await site(), await site()];
      const push = (to: typeof kept) =>
        request(api.base, 'POST', `/api/v1/sites/${to.site.id}/modules/sync`, {
          key: to.key,
          body: inventory(to.site.id),
        });
      expect((await ask(token, 'DELETE', `sites/${gone.site.id}`)).status).toBe(204);
      expect((await push(kept)).status).toBe(202);
      expect(told(await ask(token, 'DELETE', `organizations/${id}`))).toBe('403 forbidden');
      expect((await ask(api.token, 'DELETE', `organizations/${id}`)).status).toBe(204);
      expect((await push(kept)).status).toBe(401);
      for (const path of [`organizations/${id}`, `organizations/${id}/members`, `sites/${kept.site.id}`])
        expect([path, (await ask(token, 'GET', path)).status]).toEqual([path, 404]);
      expect((await ask(token, 'GET', 'organizations')).body.data).toEqual([]);
      const removed = await ask(api.token, 'GET', 'organizations?removed=true');
      expect((removed.body.data as { id: string }[]).map((row) => row.id)).toContain(id);
      expect(told(await ask(token, 'GET', 'organizations?removed=true'))).toBe('403 forbidden');
      await isTold('ingest.sites', kept.site.id, '"removed_at":"');
      expect(told(await ask(token, 'POST', `organizations/${id}/restore`))).toBe('403 forbidden');
      expect((await ask(api.token, 'POST', `organizations/${id}/restore`)).body.data).toMatchObject({
        removed_at: null,
      });
      expect(told(await ask(api.token, 'POST', `organizations/${id}/restore`))).toBe('404 not_found');
      expect((await push(kept)).status).toBe(202);
      // Removed before by itself: not brought back.
      expect((await push(gone)).status).toBe(401);
      expect((await ask(token, 'GET', `organizations/${id}`)).body.data).toMatchObject({ revision: 3 });
    });
  });

  describe('a member', () => {
    it('S41: is given another role by an administrator, and has it with her next request', async () => {
      const administrator = await api.person('administrator');
      const { organizationId } = administrator;
      const developer = await api.person('developer', organizationId);
      const [id, user] = [await uuidOf('organizations', organizationId), await me(developer.token)];
      const create = () => ask(developer.token, 'POST', 'sites', { name: 'x', url: 'https://x.example' });
      expect((await create()).status).toBe(403);
      const path = `organizations/${id}/members/${user}`;
      expect(told(await ask(developer.token, 'PATCH', path, { role: 'administrator' }))).toBe('403 forbidden');
      expect(await audited('member.role_changed', `user:${user}`)).toMatchObject({
        outcome: 'refused',
        reason: 'forbidden',
      });
      expect((await ask(administrator.token, 'PATCH', path, { role: 'user' })).status).toBe(204);
      expect((await create()).status).toBe(201);
      expect((await audited('member.role_changed', `user:${user}`)).detail).toEqual({
        before: 'developer',
        after: 'user',
      });
      const { body } = await ask(developer.token, 'GET', `organizations/${id}/members`);
      expect((body.data as { role: string }[]).map(({ role }) => role).sort()).toEqual(['administrator', 'user']);
    });

    it('S41: is removed, or leaves, and sees nothing from then on; mail stops too', async () => {
      const administrator = await api.person('administrator');
      const { organizationId } = administrator;
      const id = await uuidOf('organizations', organizationId);
      const [removed, leaver] = [
        await api.person('user', organizationId),
        await api.person('developer', organizationId),
      ];
      const [user, self] = [await me(removed.token), await me(leaver.token)];
      expect(told(await ask(leaver.token, 'DELETE', `organizations/${id}/members/${user}`))).toBe('403 forbidden');
      expect((await ask(administrator.token, 'DELETE', `organizations/${id}/members/${user}`)).status).toBe(204);
      expect((await ask(leaver.token, 'DELETE', `organizations/${id}/members/${self}`)).status).toBe(204);
      for (const { token } of [removed, leaver]) {
        expect((await ask(token, 'GET', `organizations/${id}`)).status).toBe(404);
        expect((await ask(token, 'GET', 'organizations')).body.data).toEqual([]);
      }
      await isTold('notifier.identity', user, '"organization_ids":[]');
    });

    it('is not taken from an organization that would be left without an administrator', async () => {
      const { token, organizationId } = await api.person('administrator');
      const [id, user] = [await uuidOf('organizations', organizationId), await me(token)];
      const path = `organizations/${id}/members/${user}`;
      expect(told(await ask(token, 'PATCH', path, { role: 'user' }))).toBe('409 last_administrator');
      expect(told(await ask(token, 'DELETE', path))).toBe('409 last_administrator');
      const other = await api.person('administrator', organizationId);
      // Both at once: one of them must stay.
      const statuses = await Promise.all(
        [user, await me(other.token)].map(
          async (one) => (await ask(api.token, 'DELETE', `organizations/${id}/members/${one}`)).status,
        ),
      );
      expect(statuses.sort()).toEqual([204, 409]);
    });
  });

  it('a site that is added while its organization is removed does not come to live in what is gone', async () => {
    const { token, organizationId } = await api.person('administrator');
    const removal = api.box.database.createQueryRunner();
    await removal.startTransaction();
    await removal.query('SELECT 1 FROM organizations WHERE id = $1 FOR UPDATE', [organizationId]);
    const added = ask(token, 'POST', 'sites', { name: 'Late', url: 'https://late.example' });
    await eventually(
      async () => {
        const waiting = `SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`;
        return (await api.box.database.query<unknown[]>(waiting)).length > 0;
      },
      { what: 'the creation that waits for the removal' },
    );
    await removal.query('UPDATE organizations SET removed_at = now() WHERE id = $1', [organizationId]);
    await removal.commitTransaction();
    await removal.release();
    expect(told(await added)).toBe('404 not_found');
    expect(
      await api.box.database.query('SELECT 1 FROM sites WHERE organization_id = $1', [organizationId]),
    ).toHaveLength(0);
  });

  describe('an account', () => {
    it('S41: that a superuser disables is out of everything at once, and back when it is enabled and logs in', async () => {
      const { token } = await api.person('user');
      const user = await me(token);
      expect(told(await ask(token, 'PATCH', `users/${user}`, { superuser: true }))).toBe('403 forbidden');
      expect(told(await ask(token, 'GET', 'users'))).toBe('403 forbidden');
      expect((await ask(api.token, 'PATCH', `users/${user}`, { active: false })).body.data).toMatchObject({
        active: false,
      });
      expect((await ask(token, 'GET', 'sites')).status).toBe(401);
      expect((await ask(api.token, 'GET', 'users?active=false')).body.data).toMatchObject([{ id: user }]);
      await ask(api.token, 'PATCH', `users/${user}`, { active: true });
      // What was ended stays ended.
      expect((await ask(token, 'GET', 'sites')).status).toBe(401);
    });

    it('is not the last superuser that goes', async () => {
      const user = await me(api.token);
      for (const body of [{ active: false }, { superuser: false }])
        expect(told(await ask(api.token, 'PATCH', `users/${user}`, body))).toBe('409 last_administrator');
    });

    it('is not one of the last two superusers when both are taken away at once', async () => {
      const [first, second, third] = [await me(api.token), await api.person(null), await api.person(null)];
      const users = [await me(second.token), await me(third.token)];
      await api.box.database.query('UPDATE users SET superuser = (uuid = ANY($1))', [users]);
      const statuses = await Promise.all(
        [third.token, second.token].map(
          async (by, index) => (await ask(by, 'PATCH', `users/${users[index]}`, { superuser: false })).status,
        ),
      );
      await api.box.database.query('UPDATE users SET superuser = (uuid = $1)', [first]);
      expect(statuses.sort()).toEqual([200, 409]);
    });

    it('S18: has a name that its owner changes; a password is nobody else’s to set or see', async () => {
      const { token } = await api.person('developer');
      expect((await ask(token, 'PATCH', 'auth/me', { name: 'Ada' })).body.data).toMatchObject({ name: 'Ada' });
      const user = await me(token);
      for (const body of [{ password: 'x' }, { password_hash: 'x' }])
        expect(told(await ask(api.token, 'PATCH', `users/${user}`, body))).toContain('unknown_member');
      expect(JSON.stringify((await ask(api.token, 'GET', 'users')).body)).not.toMatch(/pass|pw1/);
    });
  });

  it('S52: whoever is of another organization gets 404 for all of this one, as for none', async () => {
    const owner = await api.person('administrator');
    const stranger = await api.person('administrator');
    const [id, user] = [await uuidOf('organizations', owner.organizationId), await me(owner.token)];
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'mine' }],
      ['DELETE', '', undefined],
      ['GET', '/revisions', undefined],
      ['GET', '/members', undefined],
      ['PATCH', `/members/${user}`, { role: 'developer' }],
      ['DELETE', `/members/${user}`, undefined],
    ] as const) {
      const there = await ask(stranger.token, method, `organizations/${id}${path}`, body);
      const nowhere = await ask(stranger.token, method, `organizations/${randomUUID()}${path}`, body);
      expect([path, told(there)]).toEqual([path, '404 not_found']);
      expect({ ...there.body, request_id: 0, instance: 0 }).toEqual({ ...nowhere.body, request_id: 0, instance: 0 });
    }
    // A person of another organization cannot be named into one's own.
    const own = await uuidOf('organizations', stranger.organizationId);
    expect(told(await ask(stranger.token, 'PATCH', `organizations/${own}/members/${user}`, { role: 'user' }))).toBe(
      '404 not_found',
    );
  });
});
