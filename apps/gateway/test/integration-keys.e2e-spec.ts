import { randomUUID } from 'node:crypto';
import { listSites } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { KEY_SCOPES } from '../src/integration-key/key-scopes.js';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { inventory, request } from './gateway-in-a-box.js';

interface MadeKey {
  readonly key: string;
  readonly key_id: string;
  readonly expires_at: string;
}

describe('keys of organizations', () => {
  let api: Api;
  let administrator: { token: string; organizationId: number };
  let organization: string;
  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
    administrator = await api.person('administrator');
    organization = await uuidOf(administrator.organizationId);
  });
  afterAll(() => api.close());

  const uuidOf = async (id: number) =>
    (await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [id]))[0]!.uuid;
  const ask = (token: string, method: string, path: string, body?: unknown) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { token, body });
  const by = (key: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { key, body, headers });
  const make = async (scopes: readonly string[], more: Record<string, unknown> = {}): Promise<MadeKey> => {
    const made = await ask(administrator.token, 'POST', `organizations/${organization}/integration-keys`, {
      name: 'Ticket system',
      scopes,
      ...more,
    });
    expect(told(made)).toBe('201');
    return made.body.data;
  };
  const line = (action: string, actor: string) =>
    eventually(
      async () =>
        (
          await api.box.database.query<{ reason: string | null; subject: string; organization_id: number | null }[]>(
            'SELECT reason, subject, organization_id FROM audit_log WHERE action = $1 AND actor = $2 ORDER BY id DESC',
            [action, actor],
          )
        )[0],
      { what: `the line ${action} of ${actor}` },
    );

  describe('S47: an integration key', () => {
    it('S46: is shown once, kept as a hash, listed without its secret with who made it and when it was last used', async () => {
      const { key, key_id } = await make(['sites:read']);
      expect(key).toMatch(/^pw_integration_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}$/);
      const { body } = await ask(administrator.token, 'GET', `organizations/${organization}/integration-keys`);
      expect(JSON.stringify(body)).not.toContain(key.slice(-38));
      const me = (await ask(administrator.token, 'GET', 'auth/me')).body.data as { id: string };
      expect((body.data as { key_id: string }[]).find((row) => row.key_id === key_id)).toMatchObject({
        name: 'Ticket system',
        scopes: ['sites:read'],
        created_by: me.id,
        last_used_at: null,
      });
      const rows = await api.box.database.query<{ all: string }[]>(
        'SELECT row_to_json(k)::text AS all FROM api_keys k WHERE public_id = $1',
        [key_id],
      );
      expect(rows[0]!.all).not.toContain(key.slice(-38));
      expect((await by(key, 'GET', 'sites')).status).toBe(200);
      await eventually(
        async () => {
          const again = await ask(administrator.token, 'GET', `organizations/${organization}/integration-keys`);
          return (again.body.data as { key_id: string; last_used_at: unknown }[]).some(
            (row) => row.key_id === key_id && row.last_used_at !== null,
          );
        },
        { what: 'its last use' },
      );
    });

    it('opens what its scopes say and no more, and the refusal is noted with its name', async () => {
      const { key, key_id } = await make(['sites:read', 'modules:write']);
      expect((await by(key, 'GET', 'sites')).status).toBe(200);
      expect(told(await by(key, 'GET', 'exposures'))).toBe('403 insufficient_scope');
      expect(told(await by(key, 'GET', 'modules'))).toBe('403 insufficient_scope');
      expect(told(await by(key, 'POST', 'sites', { name: 'x', url: 'https://x.example' }))).toBe(
        '403 insufficient_scope',
      );
      expect(told(await by(key, 'GET', `organizations/${organization}`))).toBe('403 forbidden');
      expect(await line('request.refused', `key:${key_id}`)).toMatchObject({
        organization_id: administrator.organizationId,
      });
    });

    it('S52: sees nothing of another organization, and cannot write there', async () => {
      const { key } = await make([...KEY_SCOPES]);
      const stranger = await api.person('administrator');
      const theirs = (await ask(stranger.token, 'POST', 'sites', { name: 'x', url: 'https://x.example' })).body
        .data as { site: { id: string } };
      expect(told(await by(key, 'GET', `sites/${theirs.site.id}`))).toBe('404 not_found');
      expect(told(await by(key, 'PATCH', `sites/${theirs.site.id}`, { name: 'mine' }))).toBe('404 not_found');
      const elsewhere = { name: 'x', url: 'https://y.example', organization: await uuidOf(stranger.organizationId) };
      expect(told(await by(key, 'POST', 'sites', elsewhere))).toBe('400 validation_failed wrong_value:/organization');
      expect(api.others.asked.at(-1)?.input).not.toMatchObject({ scope: { organization_ids: null } });
      await by(key, 'GET', 'sites');
      expect(api.others.lastInput(listSites).scope).toMatchObject({ organization_ids: [administrator.organizationId] });
    });

    it('reads a site that is shared with its organization, as its members do, and changes nothing of it', async () => {
      const { key } = await make(['sites:read', 'sites:write']);
      const owner = await api.person('administrator');
      const { site } = (await ask(owner.token, 'POST', 'sites', { name: 'x', url: 'https://s.example' })).body.data as {
        site: { id: string };
      };
      expect(told(await by(key, 'GET', `sites/${site.id}`))).toBe('404 not_found');
      const shared = await ask(owner.token, 'PUT', `sites/${site.id}/organizations/${organization}`, {});
      expect(shared.status).toBeLessThan(300);
      expect(told(await by(key, 'GET', `sites/${site.id}`))).toBe('200');
      expect([403, 404]).toContain((await by(key, 'PATCH', `sites/${site.id}`, { name: 'mine' })).status);
    });

    it('adds and changes sites in its own name, and neither removes them nor makes keys', async () => {
      const { key, key_id } = await make(['sites:write']);
      const added = await by(key, 'POST', 'sites', { name: 'By a program', url: 'https://program.example' });
      expect(told(added)).toBe('201');
      const { site } = added.body.data as { site: { id: string; organization_id: string } };
      expect(site.organization_id).toBe(organization);
      expect((await by(key, 'PATCH', `sites/${site.id}`, { name: 'Changed' })).status).toBe(200);
      expect(told(await by(key, 'DELETE', `sites/${site.id}`))).toBe('403 forbidden');
      expect(told(await by(key, 'POST', `sites/${site.id}/keys`, {}))).toBe('403 forbidden');
      expect(await line('site.created', `key:${key_id}`)).toMatchObject({ subject: `site:${site.id}` });
      expect(await line('site.changed', `key:${key_id}`)).toMatchObject({ subject: `site:${site.id}` });
    });

    it('is replaced with an overlap: two are live at once, never three, and the old one ends by itself', async () => {
      const first = await make(['sites:read']);
      const path = `organizations/${organization}/integration-keys`;
      const rotated = await ask(administrator.token, 'POST', `${path}/${first.key_id}/rotate`, { overlap_hours: 1 });
      expect(told(rotated)).toBe('201');
      const second = rotated.body.data as MadeKey;
      expect((await by(first.key, 'GET', 'sites')).status).toBe(200);
      expect((await by(second.key, 'GET', 'sites')).status).toBe(200);
      expect(told(await ask(administrator.token, 'POST', `${path}/${second.key_id}/rotate`, {}))).toBe(
        '409 too_many_keys',
      );
      const [old] = await api.box.database.query<{ expires_at: Date }[]>(
        'SELECT expires_at FROM api_keys WHERE public_id = $1',
        [first.key_id],
      );
      expect(Math.abs(old!.expires_at.getTime() - Date.now() - 3600_000)).toBeLessThan(60_000);
      await api.box.database.query(
        `UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE public_id = $1`,
        [first.key_id],
      );
      expect(told(await by(first.key, 'GET', 'sites'))).toBe('401 invalid_api_key');
      expect((await by(second.key, 'GET', 'sites')).status).toBe(200);
    });

    it('is dead the moment it is revoked, or its organization removed', async () => {
      const { key, key_id } = await make(['sites:read']);
      const path = `organizations/${organization}/integration-keys/${key_id}`;
      expect((await ask(administrator.token, 'DELETE', path)).status).toBe(204);
      expect(told(await by(key, 'GET', 'sites'))).toBe('401 invalid_api_key');
      expect(told(await ask(administrator.token, 'DELETE', path))).toBe('404 not_found');
      const other = await api.person('administrator');
      const theirs = await uuidOf(other.organizationId);
      const made = await ask(other.token, 'POST', `organizations/${theirs}/integration-keys`, {
        name: 'x',
        scopes: ['sites:read'],
      });
      expect((await ask(api.token, 'DELETE', `organizations/${theirs}`)).status).toBe(204);
      expect(told(await by((made.body.data as MadeKey).key, 'GET', 'sites'))).toBe('401 invalid_api_key');
    });

    it('S29: is made only by who proved within five minutes who she is', async () => {
      const late = await api.person('administrator', administrator.organizationId);
      await api.box.database.query(
        `UPDATE sessions SET authenticated_at = now() - interval '6 minutes' WHERE user_id = (SELECT max(id) FROM users)`,
      );
      const path = `organizations/${organization}/integration-keys`;
      const body = { name: 'x', scopes: ['sites:read'] };
      expect(told(await ask(late.token, 'POST', path, body))).toBe('403 step_up_required');
      expect(
        told(
          await ask(late.token, 'POST', `organizations/${organization}/enrolment-keys`, { name: 'x', most_sites: 1 }),
        ),
      ).toBe('403 step_up_required');
    });

    it.each<[string, unknown, string]>([
      ['no scope', { name: 'x', scopes: [] }, 'wrong_format:/scopes'],
      ['a scope that there is not', { name: 'x', scopes: ['sites:all'] }, 'wrong_value:/scopes'],
      ['a scope twice', { name: 'x', scopes: ['sites:read', 'sites:read'] }, 'wrong_format:/scopes'],
      [
        'S53: members that are not the caller’s to set',
        { name: 'x', scopes: ['sites:read'], organization_id: 1 },
        'unknown_member:/organization_id',
      ],
    ])('is not made with %s', async (_what, body, violation) => {
      const reply = await ask(administrator.token, 'POST', `organizations/${organization}/integration-keys`, body);
      expect(told(reply)).toBe(`400 validation_failed ${violation}`);
    });

    it('S45, S49: with a right checksum alone opens nothing, and is refused in an address', async () => {
      const { key } = await make(['sites:read']);
      await ask(administrator.token, 'DELETE', `organizations/${organization}/integration-keys/${key.slice(15, 23)}`);
      expect(told(await by(key, 'GET', 'sites'))).toBe('401 invalid_api_key');
      expect(told(await by(`${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`, 'GET', 'sites'))).toBe(
        '401 invalid_api_key',
      );
      expect(told(await request<Body>(api.base, 'GET', `/api/v1/sites?q=${key}`, { token: api.token }))).toBe(
        '400 key_in_query',
      );
      expect(told(await request<Body>(api.base, 'DELETE', `/api/v1/sites/${key}`, { token: api.token }))).toBe(
        '400 key_in_query',
      );
      const [logged] = await api.box.database.query<{ lines: string }[]>(
        'SELECT json_agg(a)::text AS lines FROM audit_log a',
      );
      expect(logged!.lines).not.toContain(key.slice(-38));
    });
  });

  describe('an enrolment key', () => {
    const enrolmentKey = async (more: Record<string, unknown> = {}): Promise<MadeKey> =>
      (
        await ask(administrator.token, 'POST', `organizations/${organization}/enrolment-keys`, {
          name: 'Roll-out',
          most_sites: 2,
          ...more,
        })
      ).body.data;
    const enrol = (key: string, url: string, agent: string, more: Record<string, unknown> = {}) =>
      by(key, 'POST', 'enrolments', { agent_id: agent, url, ...more });
    type Enrolled = { site: { id: string; name: string }; key: string; key_id: string };
    const pushes = async ({ site, key }: Enrolled) =>
      (await request(api.base, 'POST', `/api/v1/sites/${site.id}/modules/sync`, { key, body: inventory(site.id) }))
        .status;

    it('lets an agent register its site and push with the key it gets', async () => {
      const { key, key_id } = await enrolmentKey();
      const enrolled = await enrol(key, 'https://one.example/', randomUUID());
      expect(told(enrolled)).toBe('201');
      const data = enrolled.body.data as Enrolled;
      expect(data.site.name).toBe('one.example');
      expect(await pushes(data)).toBe(202);
      expect(await line('site.registered', `key:${key_id}`)).toMatchObject({ subject: `site:${data.site.id}` });
    });

    it('gives the same site to the agent that asks again, with a new key for one that was never used', async () => {
      const { key } = await enrolmentKey({ most_sites: 1 });
      const agent = randomUUID();
      const first = (await enrol(key, 'https://two.example', agent)).body.data as Enrolled;
      const again = await enrol(key, 'HTTP://two.example:80/', agent);
      expect(told(again)).toBe('200');
      const second = again.body.data as Enrolled;
      expect(second.site.id).toBe(first.site.id);
      expect(second.key).not.toBe(first.key);
      expect(await pushes(first)).toBe(401);
      expect(await pushes(second)).toBe(202);
    });

    it('takes no site over: one that pushed, of another agent, or that a person added', async () => {
      const { key } = await enrolmentKey({ most_sites: 5 });
      const agent = randomUUID();
      const mine = (await enrol(key, 'https://three.example', agent)).body.data as Enrolled;
      expect(told(await enrol(key, 'https://three.example', randomUUID()))).toBe('409 site_registered');
      expect(await pushes(mine)).toBe(202);
      expect(told(await enrol(key, 'https://three.example', agent))).toBe('409 site_registered');
      await ask(administrator.token, 'POST', 'sites', { name: 'x', url: 'https://By-Hand.example/' });
      expect(told(await enrol(key, 'https://by-hand.example', agent))).toBe('409 site_registered');
      // Another environment of it is another site; and one that was removed may come anew.
      expect(told(await enrol(key, 'https://three.example', agent, { environment: 'stage' }))).toBe('201');
      expect((await ask(administrator.token, 'DELETE', `sites/${mine.site.id}`)).status).toBe(204);
      expect(told(await enrol(key, 'https://three.example', agent))).toBe('201');
    });

    it('registers no site of an address that no browser can open', async () => {
      const { key } = await enrolmentKey();
      for (const url of ['https://xn--a', 'https://x.0x1', 'https://four.example/\0'])
        expect(told(await enrol(key, url, randomUUID()))).toBe('400 validation_failed wrong_format:/url');
    });

    it('registers as many sites as it may, also when agents come at once, and is over when it expires or is revoked', async () => {
      const { key, key_id } = await enrolmentKey({ most_sites: 3 });
      const codes = await Promise.all(
        Array.from({ length: 8 }, async (_, i) => told(await enrol(key, `https://many-${i}.example`, randomUUID()))),
      );
      expect(codes.sort()).toEqual([
        ...Array<string>(3).fill('201'),
        ...Array<string>(5).fill('403 enrolment_exhausted'),
      ]);
      const same = await enrolmentKey({ most_sites: 5 });
      const agent = randomUUID();
      const ids = await Promise.all(
        Array.from(
          { length: 4 },
          async () => ((await enrol(same.key, 'https://same.example', agent)).body.data as Enrolled).site.id,
        ),
      );
      expect(new Set(ids).size).toBe(1);
      const { body } = await ask(administrator.token, 'GET', `organizations/${organization}/enrolment-keys`);
      expect((body.data as { key_id: string }[]).find((row) => row.key_id === key_id)).toMatchObject({
        most_sites: 3,
        sites: 3,
      });
      expect((body.data as { key_id: string }[]).find((row) => row.key_id === same.key_id)).toMatchObject({ sites: 1 });
      await ask(administrator.token, 'DELETE', `organizations/${organization}/enrolment-keys/${same.key_id}`);
      expect(told(await enrol(same.key, 'https://late.example', randomUUID()))).toBe('401 invalid_api_key');
    });

    it('S48: opens no other route', async () => {
      const { key } = await enrolmentKey();
      const { body } = await request<{ paths: Record<string, object> }>(api.base, 'GET', '/docs/openapi.json');
      const open: string[] = [];
      for (const [path, methods] of Object.entries(body.paths)) {
        // Routes for everybody are for this key, too.
        if (/\/auth\/(login|refresh|invitation|password-reset|second-factor)/.test(path)) continue;
        for (const method of Object.keys(methods)) {
          const { status } = await by(
            key,
            method.toUpperCase(),
            path.slice(8).replaceAll(/\{\w+\}/g, randomUUID()),
            method === 'get' ? undefined : {},
          );
          if (![401, 403].includes(status)) open.push(`${method} ${path} ${status}`);
        }
      }
      expect(open).toEqual(['post /api/v1/enrolments 400']);
    });
  });
});
