import { gunzipSync, gzipSync } from 'node:zlib';
import type { ExposureRow, SiteModuleRow, SiteRow } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { caughtUp } from '../harness/caught-up.js';
import { startSystem, type System } from '../harness/system.js';
import { ApiClient } from '../../tools/cli/api-client.js';

/** The main job, end to end: a site pushes what it runs, and the platform says truly what it is exposed to. */
let system: System;
let site: { id: string; key: string };
let sequence = 0;
let begun: number;

beforeAll(async () => {
  system = await startSystem();
  const { data } = await system.client.request<{ site: { id: string }; key: string }>('POST', '/api/v1/sites', {
    body: { name: 'shop', url: 'https://shop.example', environment: 'prod' },
  });
  site = { id: data.site.id, key: data.key };
  begun = Date.now();
}, 180_000);
afterAll(() => system?.stop());

interface PushAnswer {
  status: number;
  body: { data?: { push_id: string; state: string }; code?: string; links?: { self: string } };
  headers: Headers;
}

async function push(
  body: Record<string, unknown>,
  options: { key?: string; raw?: Buffer; gzip?: boolean } = {},
): Promise<PushAnswer> {
  const bytes =
    options.raw ??
    Buffer.from(
      JSON.stringify({
        schema: 1,
        site_uuid: site.id,
        url: 'https://www.shop.example/',
        environment: 'prod',
        collected_at: new Date().toISOString(),
        sequence: ++sequence,
        ...body,
      }),
    );
  const response = await fetch(`${system.url}/api/v1/sites/${site.id}/modules/sync`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': options.key ?? site.key,
      ...(options.gzip === false ? {} : { 'content-encoding': 'gzip' }),
    },
    body: new Uint8Array(options.gzip === false ? bytes : gzipSync(bytes)),
  });
  return { status: response.status, body: (await response.json()) as PushAnswer['body'], headers: response.headers };
}

const settled = (pushId: string) =>
  eventually(
    async () => {
      const { data } = await system.client.request<{ state: string; reason: string | null }>(
        'GET',
        `/api/v1/sites/${site.id}/pushes/${pushId}`,
      );
      return data.state === 'queued' ? null : data;
    },
    { what: `push ${pushId} to settle` },
  );

const exposures = async (query = '') =>
  (await system.client.request<ExposureRow[]>('GET', `/api/v1/exposures?site=${site.id}&per_page=100${query}`)).data;

const outdated = {
  core: { version: '10.2.7' },
  modules: [
    { project: 'token', version: '8.x-1.13', status: 'enabled' },
    { project: 'my_custom', origin: 'custom', version: '1.0.0' },
  ],
};

describe('a site that pushes an outdated inventory', () => {
  it('is answered with 202, a push id and a link to its state, and the push is applied', async () => {
    const { status, body } = await push(outdated);
    expect(status).toBe(202);
    expect(body.data).toMatchObject({ state: 'queued' });
    expect(body.links?.self).toBe(`/api/v1/sites/${site.id}/pushes/${body.data?.push_id}`);
    await expect(settled(body.data?.push_id ?? '')).resolves.toMatchObject({ state: 'applied', reason: 'changed' });
  });

  it('shows the advisories that its core is exposed to, since when, and what fixes them', async () => {
    const open = await eventually(
      async () => {
        const rows = await exposures('&state=open&advisory=SA-CORE-2024-003');
        return rows.length > 0 ? rows : null;
      },
      { what: 'the exposure to SA-CORE-2024-003', timeoutMs: 20_000 },
    );
    expect(open).toHaveLength(1);
    expect(open[0]).toMatchObject({
      module: 'drupal',
      installed_version: '10.2.7',
      state: 'open',
      closed_at: null,
      site_name: 'shop',
    });
    expect(open[0]?.fixed_in).toContain('10.2.11');
    // Published long before this site existed: the exposure counts from when the site was first seen.
    expect(Date.parse(open[0]?.opened_at ?? '')).toBeGreaterThanOrEqual(begun);
  });

  it('lists its modules with security updates first and says nothing about custom code that Drupal.org does not know', async () => {
    const modules = await eventually(
      async () => {
        const { data } = await system.client.request<SiteModuleRow[]>('GET', `/api/v1/sites/${site.id}/modules`);
        const known = data
          .filter(({ recommended_version }) => recommended_version !== null)
          .map(({ module }) => module);
        return known.includes('token') && known.includes('drupal') ? data : null;
      },
      { what: 'the release histories of core and token', timeoutMs: 20_000 },
    );
    expect(modules[0]).toMatchObject({ module: 'drupal', group: 'security', installed_version: '10.2.7' });
    expect(modules[0]?.link).toContain('drupal.org/project/drupal');
    expect(modules.find(({ module }) => module === 'token')).toMatchObject({
      group: 'update',
      installed_version: '8.x-1.13',
    });
    expect(modules.find(({ module }) => module === 'token')?.days_available).toBeGreaterThan(0);
    const order = ['security', 'update', 'current', 'unknown'];
    const groups = modules.map(({ group }) => order.indexOf(group));
    expect(groups).toEqual([...groups].sort((a, b) => a - b));
  });

  it('counts in the site list and on the overview', async () => {
    const row = await eventually(
      async () => {
        const { data } = await system.client.request<SiteRow[]>('GET', '/api/v1/sites');
        const found = data.find(({ id }) => id === site.id);
        return found && found.security_updates > 0 ? found : null;
      },
      { what: 'the site list to show a security update' },
    );
    expect(row).toMatchObject({ name: 'shop', core_version: '10.2.7', reporting: 'reporting' });
    expect(row.exposed_since).not.toBeNull();
    const { data } = await system.client.request<{ sites: { exposed: number } }>('GET', '/api/v1/dashboard/overview');
    expect(data.sites.exposed).toBe(1);
  });
});

describe('the same site, patched', () => {
  const patched = {
    core: { version: '11.4.9' },
    modules: [{ project: 'token', version: '8.x-1.17', status: 'enabled' }],
  };
  let latestCore: string;

  it('closes its exposures as patched with the first safe inventory', async () => {
    const { data } = await system.client.request<{ recommended_version: string }>('GET', '/api/v1/modules/drupal');
    latestCore = data.recommended_version;
    const { body } = await push({ ...patched, core: { version: latestCore } });
    await settled(body.data?.push_id ?? '');
    const rows = await eventually(
      async () => {
        const all = await exposures();
        return all.every(({ module, state }) => module !== 'drupal' || state === 'closed') ? all : null;
      },
      { what: 'all exposures of core to close' },
    );
    expect(rows.find(({ advisory }) => advisory === 'SA-CORE-2024-003')).toMatchObject({
      reason: 'patched',
      closed_version: latestCore,
    });
  });

  it('opens a new episode when it is downgraded: a closed one is history', async () => {
    const { body } = await push({ ...outdated, inventory_hash: 'downgraded-inventory' });
    await settled(body.data?.push_id ?? '');
    await eventually(async () => (await exposures('&advisory=SA-CORE-2024-003')).length === 2, {
      what: 'a second episode',
    });
    expect((await exposures('&advisory=SA-CORE-2024-003')).map(({ state }) => state).sort()).toEqual([
      'closed',
      'open',
    ]);
  });

  it('may say by hash alone that nothing changed, and is asked for everything when the hash is not known', async () => {
    await eventually(async () => (await push({ inventory_hash: 'downgraded-inventory' })).status === 202, {
      what: 'the known hash to be accepted',
    });
    const unknown = await push({ inventory_hash: 'never-heard-of-this-one' });
    expect([unknown.status, unknown.body.code]).toEqual([409, 'inventory_hash_unknown']);
  });

  it('does not take absence in a partial inventory for a fix', async () => {
    const { body } = await push({ complete: false, modules: [{ project: 'token', version: '8.x-1.17' }] });
    await settled(body.data?.push_id ?? '');
    expect(await exposures('&state=open&advisory=SA-CORE-2024-003')).toHaveLength(1);
  });

  it('closes as removed only when a complete inventory no longer has the module', async () => {
    const { body } = await push({ modules: [{ project: 'token', version: '8.x-1.17' }] });
    await settled(body.data?.push_id ?? '');
    await eventually(async () => (await exposures('&state=open&advisory=SA-CORE-2024-003')).length === 0, {
      what: 'the exposure to close',
    });
    expect(await exposures('&advisory=SA-CORE-2024-003&reason=removed')).toHaveLength(1);
  });
});

describe('pushes that repeat, arrive late or are wrong', () => {
  it('settle as what they are, whatever their order', async () => {
    const newest = { ...outdated, epoch: 7, sequence: 100, push_id: '0190aaaa-0000-7000-8000-000000000001' };
    const repeated = await Promise.all(Array.from({ length: 20 }, () => push(newest)));
    expect(new Set(repeated.map(({ status }) => status))).toEqual(new Set([202]));
    await expect(settled(newest.push_id)).resolves.toMatchObject({ state: 'applied' });

    const sameContent = await push({
      ...newest,
      push_id: '0190aaaa-0000-7000-8000-000000000002',
      collected_at: new Date().toISOString(),
    });
    await expect(settled(sameContent.body.data?.push_id ?? '')).resolves.toMatchObject({ state: 'duplicate' });
    const late = await push({ ...newest, sequence: 99, push_id: '0190aaaa-0000-7000-8000-000000000003' });
    await expect(settled(late.body.data?.push_id ?? '')).resolves.toMatchObject({
      state: 'superseded',
      reason: 'older_than_current',
    });
  });

  it.each([
    ['no key', { key: '' }, 401],
    ['a key that nobody has', { key: 'pw_site_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }, 401],
    ['a body that is no JSON', { raw: Buffer.from('{"a":') }, 400],
    ['a body that lacks the inventory', { raw: Buffer.from(JSON.stringify({ schema: 1, sequence: 1 })) }, 422],
  ])('are refused with a coded problem: %s', async (_, options, status) => {
    const answer = await push({}, options);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(answer.body.code).toMatch(/^[a-z_]+$/);
  });

  it('from a copy of the site hold it until somebody decides, and its own go on', async () => {
    const listed = async (query: string) =>
      (await system.client.request<SiteRow[]>('GET', `/api/v1/sites?${query}`)).data.map(({ id }) => id);
    expect(await listed('quarantined=true')).toEqual([]);
    const copy = await push({ ...outdated, url: 'https://copy.example', environment: 'dev' });
    expect([copy.status, copy.body.code]).toEqual([403, 'site_quarantined']);
    await eventually(async () => (await listed('quarantined=true')).includes(site.id), { what: 'the site to show it' });
    expect(await listed('quarantined=false')).not.toContain(site.id);
    const { data: overview } = await system.client.request<{ sites: { quarantined: number } }>(
      'GET',
      '/api/v1/dashboard/overview',
    );
    expect(overview.sites.quarantined).toBe(1);
    const own = await push(outdated);
    expect(own.status).toBe(202);
    await settled(own.body.data!.push_id);
    await system.client.request('POST', `/api/v1/sites/${site.id}/quarantine/release`, { body: { decision: 'keep' } });
    await eventually(async () => !(await listed('quarantined=true')).includes(site.id), {
      what: 'the site to be free',
    });
  });

  it('leave nothing dead and nothing in the queues', async () => {
    await eventually(
      async () => {
        const [row] = await system.query<{ waiting: number }>('SELECT count(*)::int AS waiting FROM ingest.outbox');
        return row?.waiting === 0;
      },
      { what: 'the outbox to empty' },
    );
    const [dead] = await system.query<{ count: number }>(
      'SELECT (SELECT count(*) FROM ingest.dead_letters)::int + (SELECT count(*) FROM reporting.dead_letters)::int + (SELECT count(*) FROM catalog.dead_letters)::int AS count',
    );
    expect(dead?.count).toBe(0);
  });
});

describe('exposures as CSV', () => {
  it('are exactly the filtered list, one line each, safe to open in a spreadsheet', async () => {
    // The last inventory opens some, and between file and list there must be no other.
    await caughtUp(system);
    const response = await fetch(`${system.url}/api/v1/exposures/export?format=csv&site=${site.id}`, {
      headers: authorization(),
    });
    expect(response.status).toBe(200);
    const text = decode(Buffer.from(await response.arrayBuffer()));
    const lines = text.trimEnd().split('\r\n');
    expect(lines[0]).toContain('site_name,module');
    expect(lines).toHaveLength(1 + (await exposures()).length);
  });
});

it('a client whose session was ended logs in again, once for all the requests that were underway', async () => {
  const client = new ApiClient(system.url);
  await client.login(system.login.email, system.login.password);
  const sessions = async () => (await system.client.request<{ id: string }[]>('GET', '/api/v1/auth/sessions')).data;
  const before = (await sessions()).length;
  const old = client.accessToken();
  await system.client.request('DELETE', '/api/v1/auth/sessions');
  const answers = await Promise.all(Array.from({ length: 12 }, () => client.request('GET', '/api/v1/sites')));
  expect(answers).toHaveLength(12);
  expect(client.accessToken()).not.toBe(old);
  expect([before, (await sessions()).length]).toEqual([2, 2]);
});

/** For requests whose answer is not JSON. */
const authorization = () => ({ authorization: `Bearer ${system.client.accessToken()}` });

const decode = (bytes: Buffer) =>
  (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8').replace(/^\uFEFF/, '');
