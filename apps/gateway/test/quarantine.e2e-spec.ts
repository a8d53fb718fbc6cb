import { gunzipSync } from 'node:zlib';
import { listSites, type AccountLetterDue, type SiteChanged } from '#libs/contracts';
import { fromFields, streamKey } from '#libs/streams';
import { eventually } from '#libs/testing';
import { AS_OF, apiInABox, told, type Api, type Body } from './api-in-a-box.js';
import { inventory, queuedPushes, request, type Reply } from './gateway-in-a-box.js';
import { KEY_SCOPES } from '../src/integration-key/key-scopes.js';

interface Shown {
  readonly url: string;
  readonly environment: string;
  readonly quarantine: Record<string, unknown> | null;
}

interface OwnSite {
  readonly uuid: string;
  readonly key: string;
}

const HOME = 'https://shop.example';
const CLONE = 'https://clone.example';

/** Two replicas; the sites belong to an organization of an administrator. */
describe('a site whose pushes say that it is another', () => {
  let api: Api;
  let replica: string;
  let owner: { token: string; organizationId: number };

  const ask = (token: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    request<Body>(api.base, method, `/api/v1/${path}`, { token, body, headers });
  const add = async (more: Record<string, unknown> = {}): Promise<OwnSite> => {
    const { body } = await ask(owner.token, 'POST', 'sites', { name: 'Shop', url: HOME, ...more });
    const { site, key } = body.data as { site: { id: string }; key: string };
    return { uuid: site.id, key };
  };
  const push = (site: OwnSite, says: Record<string, unknown>, base = api.base): Promise<Reply<Body>> =>
    request<Body>(base, 'POST', `/api/v1/sites/${site.uuid}/modules/sync`, {
      key: site.key,
      body: inventory(site.uuid, says),
    });
  const answers = async (site: OwnSite, says: Record<string, unknown>) =>
    Promise.all([api.base, replica].map(async (base) => told(await push(site, says, base))));
  /** On the other replica what was told a moment ago may be a moment away. */
  const onBoth = (site: OwnSite, says: Record<string, unknown>, expected: string) =>
    eventually(async () => (await answers(site, says)).every((one) => one === expected), {
      what: `${expected} to ${JSON.stringify(says)} on both replicas`,
    });
  const shown = async (site: OwnSite, token = owner.token) => {
    const { body } = await ask(token, 'GET', `sites/${site.uuid}`);
    return body.data as Shown;
  };
  const lines = (site: OwnSite, action: string) =>
    api.box.database.query<{ actor: string; detail: Record<string, unknown> }[]>(
      `SELECT actor, detail FROM audit_log WHERE outcome = 'done' AND action = $1 AND subject = $2 ORDER BY id`,
      [action, `site:${site.uuid}`],
    );
  const eventsOf = async <T>(queue: string, mine: (event: T) => boolean): Promise<T[]> => {
    const entries = await api.box.streams.client.xrangeBuffer(streamKey(queue, 0), '-', '+');
    return (entries as unknown as [Buffer, Buffer[]][])
      .map(([, fields]) => fromFields(fields))
      .map(({ body, contentEncoding }) => (contentEncoding === 'gzip' ? gunzipSync(body) : body))
      .map((body) => JSON.parse(Buffer.from(body).toString()) as T)
      .filter(mine);
  };
  const tellings = (site: OwnSite) =>
    eventsOf<SiteChanged>('reporting.identity', ({ site_uuid }) => site_uuid === site.uuid);
  const release = (site: OwnSite, decision: string, token = owner.token) =>
    ask(token, 'POST', `sites/${site.uuid}/quarantine/release`, { decision });

  beforeAll(async () => {
    api = await apiInABox();
    api.others.answer(listSites, () => ({ items: [], meta: { total: 0, as_of: AS_OF } }));
    replica = (await api.box.replica()).url;
    owner = await api.person('administrator');
  });
  afterAll(() => api.close());

  it('is held, on every replica, while the pushes that are surely its own go on', async () => {
    const site = await add();
    for (const says of [{}, { url: 'http://default' }, { url: 'http://www.SHOP.example/de', environment: 'prod' }])
      expect(await answers(site, says)).toEqual(['202', '202']);
    const before = (await queuedPushes(api.box)).length;
    const refused = await push(site, { url: 'https://u:p@clone.example/?token=1', environment: 'prod' });
    expect(told(refused)).toBe('403 site_quarantined wrong_value:/url');
    expect(JSON.stringify(refused.body)).not.toContain('shop.example');
    await onBoth(site, { url: CLONE }, '403 site_quarantined wrong_value:/url');
    for (const says of [{}, { environment: 'prod' }, { url: 'http://localhost' }])
      expect(await answers(site, says)).toEqual(['403 site_quarantined', '403 site_quarantined']);
    const heart = { modules: undefined, core: undefined, inventory_hash: 'a'.repeat(64) };
    expect(told(await push(site, heart))).toBe('403 site_quarantined');
    expect(await queuedPushes(api.box)).toHaveLength(before);
    // The true one, otherwise written.
    expect(await answers(site, { url: `${HOME}/` })).toEqual(['202', '202']);
    expect(await queuedPushes(api.box)).toHaveLength(before + 2);
    expect(await shown(site)).toMatchObject({
      url: HOME,
      quarantine: {
        ...{ since: expect.any(String), reason: 'url_changed', note: null },
        ...{ reported_url: CLONE, reported_environment: null },
      },
    });
  });

  it('is told to the others, noted, and its administrators are written to; nobody else is', async () => {
    const user = await api.person('user', owner.organizationId);
    expect(user.organizationId).toBe(owner.organizationId);
    const site = await add({ name: 'Told of' });
    expect((await push(site, { url: CLONE, environment: 'stage' })).status).toBe(403);
    const [line] = await lines(site, 'site.quarantined');
    expect(line).toMatchObject({
      actor: `key:${site.key.slice(8, 16)}`,
      detail: {
        reason: 'url_changed',
        registered: { url: HOME, environment: 'prod' },
        reported: { url: CLONE, environment: 'stage' },
      },
    });
    const told = await eventually(
      async () => (await tellings(site)).find(({ quarantine }) => quarantine !== null) ?? null,
      { what: 'the event' },
    );
    expect(told).toMatchObject({ revision: 2, quarantine: { reported_url: CLONE, reported_environment: 'stage' } });
    const letters = await eventually(
      async () => {
        const found = await eventsOf<AccountLetterDue>('notifier.identity', ({ site }) => site?.name === 'Told of');
        return found.length > 0 ? found : null;
      },
      { what: 'the letter' },
    );
    expect(letters).toMatchObject([
      {
        letter: 'site_quarantined',
        organization_id: owner.organizationId,
        site: { host: 'shop.example', reported_host: 'clone.example', reported_environment: 'stage' },
        valid_until: null,
      },
    ]);
    expect(new URL(letters[0]!.link!).pathname).toBe(`/sites/${site.uuid}`);
    const refusal = await eventually(
      async () => {
        const [found] = await api.box.database.query<{ reason: string }[]>(
          `SELECT reason FROM audit_log WHERE action = 'push.refused' AND subject = $1`,
          [`site:${site.uuid}`],
        );
        return found ?? null;
      },
      { what: 'the line of the refusal' },
    );
    expect(refusal.reason).toBe('site_quarantined');
  });

  it('is held once, with one line and one event, when fifty pushes say so at once on two replicas', async () => {
    const site = await add();
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, i) => push(site, { url: CLONE, sequence: i }, i % 2 === 0 ? api.base : replica)),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([403]));
    expect(await lines(site, 'site.quarantined')).toHaveLength(1);
    // What is told afterwards comes afterwards: then there is no second one on its way.
    expect(told(await release(site, 'keep'))).toBe('200');
    const events = await eventually(
      async () => {
        const all = await tellings(site);
        return all.some(({ revision }) => revision >= 3) ? all : null;
      },
      { what: 'the release' },
    );
    expect(events.map(({ revision, quarantine }) => [revision, quarantine?.reason ?? null])).toEqual([
      [1, null],
      [2, 'url_changed'],
      [3, null],
    ]);
  });

  it('takes over what was reported, when somebody accepts it', async () => {
    const site = await add();
    const moved = { url: `${CLONE}/shop`, environment: 'stage' };
    expect((await push(site, moved)).status).toBe(403);
    const accepted = await release(site, 'accept_change');
    expect(accepted.body.data).toMatchObject({ url: `${CLONE}/shop`, environment: 'stage', quarantine: null });
    await onBoth(site, moved, '202');
    expect((await lines(site, 'site.quarantine_released'))[0]!.detail).toMatchObject({
      decision: 'accept_change',
      before: { url: HOME, environment: 'prod' },
    });
    // Now the place where it was before is elsewhere.
    expect(told(await push(site, { url: HOME }))).toBe('403 site_quarantined wrong_value:/url');
    expect(told(await release(site, 'keep'))).toBe('200');
    expect(await shown(site)).toMatchObject({ url: `${CLONE}/shop`, environment: 'stage', quarantine: null });
  });

  it('stays what it was, when somebody keeps it, and is held again when it is said again', async () => {
    const site = await add();
    expect(told(await push(site, { url: HOME, environment: 'dev' }))).toBe(
      '403 site_quarantined wrong_value:/environment',
    );
    expect((await shown(site)).quarantine).toMatchObject({
      ...{ reason: 'environment_changed', reported_url: null, reported_environment: 'dev' },
    });
    expect(told(await push(site, { url: HOME }))).toBe('202');
    expect((await release(site, 'keep')).body.data).toMatchObject({ url: HOME, environment: 'prod', quarantine: null });
    await onBoth(site, {}, '202');
    expect((await push(site, { environment: 'dev' })).status).toBe(403);
    expect(await lines(site, 'site.quarantined')).toHaveLength(2);
  });

  it('is released by a change of the registry to what was reported, and by no other', async () => {
    const site = await add();
    expect((await push(site, { url: CLONE, environment: 'stage' })).status).toBe(403);
    const change = async (body: unknown) =>
      (await ask(owner.token, 'PATCH', `sites/${site.uuid}`, body)).body.data as Shown;
    expect((await change({ name: 'Renamed' })).quarantine).not.toBeNull();
    expect((await change({ url: `http://www.${CLONE.slice(8)}/` })).quarantine).not.toBeNull();
    expect((await change({ environment: 'stage' })).quarantine).toBeNull();
    expect(await lines(site, 'site.quarantine_released')).toHaveLength(1);
    await onBoth(site, { url: CLONE, environment: 'stage' }, '202');
  });

  it('is judged by the registry of this moment, not by what a replica remembers', async () => {
    const site = await add();
    expect(await answers(site, { url: HOME })).toEqual(['202', '202']);
    // Changed behind the gateway's back: nobody tells the replicas.
    await api.box.database.query(`UPDATE sites SET url = $2 WHERE uuid = $1`, [site.uuid, CLONE]);
    expect(await answers(site, { url: CLONE })).toEqual(['202', '202']);
    expect(await lines(site, 'site.quarantined')).toHaveLength(0);
  });

  it('is held entirely by hand, until somebody releases it', async () => {
    const site = await add();
    const hold = (body: unknown = {}) => ask(owner.token, 'POST', `sites/${site.uuid}/quarantine`, body);
    const backfill = (
      await ask(owner.token, 'POST', `sites/${site.uuid}/keys`, { purpose: 'backfill', expires_in_hours: 1 })
    ).body.data as { key: string };
    const history = { uuid: site.uuid, key: backfill.key };
    const past = { url: 'https://laptop.example', environment: 'dev', epoch: 0 };
    expect(told(await push(history, past))).toBe('202');
    expect(told(await hold({ note: ' ' }))).toBe('400 validation_failed wrong_format:/note');
    const held = await hold({ note: 'Hacked: forensics first.' });
    expect(held.body.data).toMatchObject({ quarantine: { reason: 'by_hand', note: 'Hacked: forensics first.' } });
    await onBoth(site, { url: HOME, environment: 'prod' }, '403 site_quarantined');
    await onBoth(history, past, '403 site_quarantined wrong_value:/url wrong_value:/environment');
    expect(told(await hold())).toBe('409 site_already_held');
    expect(told(await release(site, 'accept_change'))).toBe('409 nothing_reported');
    expect(told(await release(site, 'perhaps'))).toBe('400 validation_failed wrong_value:/decision');
    expect(told(await release(site, 'keep'))).toBe('200');
    expect(told(await release(site, 'keep'))).toBe('409 site_not_quarantined');
    await onBoth(site, {}, '202');
    // By hand after a push: what was reported can be accepted still.
    expect((await push(site, { url: CLONE })).status).toBe(403);
    expect(told(await push(history, past))).toBe('202');
    expect((await hold()).body.data).toMatchObject({ quarantine: { reason: 'by_hand', reported_url: CLONE } });
    await onBoth(site, { url: HOME }, '403 site_quarantined');
    expect((await release(site, 'accept_change')).body.data).toMatchObject({ url: CLONE, quarantine: null });
  });

  it('S52: is held and released by whoever may edit it, and by nobody of another organization', async () => {
    const site = await add();
    expect((await push(site, { url: CLONE })).status).toBe(403);
    const stranger = await api.person('administrator');
    const developer = await api.person('developer', owner.organizationId);
    const user = await api.person('user', owner.organizationId);
    const guest = await api.person('administrator');
    const [organization] = await api.box.database.query<{ uuid: string }[]>(
      'SELECT uuid FROM organizations WHERE id = $1',
      [guest.organizationId],
    );
    await ask(owner.token, 'PUT', `sites/${site.uuid}/organizations/${organization!.uuid}`);
    expect((await shown(site, guest.token)).quarantine).toMatchObject({ reason: 'url_changed' });
    const program = async (token: string, scopes: readonly string[], id: number) => {
      const [own] = await api.box.database.query<{ uuid: string }[]>('SELECT uuid FROM organizations WHERE id = $1', [
        id,
      ]);
      const made = await ask(token, 'POST', `organizations/${own!.uuid}/integration-keys`, { name: 'x', scopes });
      return (made.body.data as { key: string }).key;
    };
    const reads = await program(owner.token, ['sites:read'], owner.organizationId);
    const foreign = await program(stranger.token, KEY_SCOPES, stranger.organizationId);
    const writes = await program(owner.token, ['sites:write'], owner.organizationId);
    const by = (who: { token?: string; key?: string }, path: string, body: unknown) =>
      request<Body>(api.base, 'POST', `/api/v1/sites/${site.uuid}/quarantine${path}`, { ...who, body }).then(told);
    for (const [path, body] of [
      ['', {}],
      ['/release', { decision: 'keep' }],
    ] as const) {
      expect(await by({ token: stranger.token }, path, body)).toBe('404 not_found');
      expect(await by({ key: foreign }, path, body)).toBe('404 not_found');
      for (const who of [{ token: developer.token }, { token: guest.token }, { key: site.key }])
        expect(await by(who, path, body)).toBe('403 forbidden');
      expect(await by({ key: reads }, path, body)).toBe('403 insufficient_scope');
    }
    expect((await shown(site)).quarantine).toMatchObject({ reason: 'url_changed' });
    expect(await by({ token: user.token }, '/release', { decision: 'keep' })).toBe('200');
    expect(await by({ key: writes }, '', {})).toBe('200');
    expect(await by({ key: writes }, '/release', { decision: 'keep' })).toBe('200');
    expect((await lines(site, 'site.quarantine_released')).map(({ actor }) => actor)).toEqual([
      expect.stringMatching(/^user:/),
      `key:${writes.slice(15, 23)}`,
    ]);
    await ask(owner.token, 'DELETE', `sites/${site.uuid}`);
    expect(await by({ token: owner.token }, '', {})).toBe('404 not_found');
    expect(await by({ token: owner.token }, '/release', { decision: 'keep' })).toBe('404 not_found');
  });

  it('is released as it was seen, when who releases it says so', async () => {
    const site = await add();
    expect((await push(site, { url: CLONE })).status).toBe(403);
    const path = `sites/${site.uuid}/quarantine/release`;
    const accept = (tag: string) => ask(owner.token, 'POST', path, { decision: 'accept_change' }, { 'if-match': tag });
    expect(told(await accept('"r1.x"'))).toBe('412 precondition_failed');
    const { headers } = await ask(owner.token, 'GET', `sites/${site.uuid}`);
    expect(told(await accept(headers.get('etag')!))).toBe('200');
  });

  it('can be asked for in the list', async () => {
    await ask(owner.token, 'GET', 'sites?quarantined=true');
    expect(api.others.lastInput(listSites)).toMatchObject({ quarantined: true });
    expect(told(await ask(owner.token, 'GET', 'sites?quarantined=yes'))).toBe(
      '400 invalid_parameter wrong_value:/quarantined',
    );
  });

  it('is neither held nor taken while the database is away: 503, and held when it is back', async () => {
    const site = await add();
    expect(told(await push(site, { url: HOME }))).toBe('202');
    api.box.databaseLink.cut();
    const away = await push(site, { url: CLONE });
    expect(told(away)).toBe('503 unavailable');
    expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
    // Its own go on.
    expect(told(await push(site, { url: HOME }))).toBe('202');
    api.box.databaseLink.mend();
    await eventually(async () => told(await push(site, { url: CLONE })).startsWith('403'), {
      what: 'the database to be back',
      everyMs: 100,
    });
    expect(await lines(site, 'site.quarantined')).toHaveLength(1);
  });
});
