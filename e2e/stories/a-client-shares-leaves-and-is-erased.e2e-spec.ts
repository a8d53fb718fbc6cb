import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { SERVICES, type ExposureRow, type SiteRow } from '#libs/contracts';
import { eventually } from '#libs/testing';
import { ApiClient } from '../../tools/cli/api-client.js';
import { caughtUp } from '../harness/caught-up.js';
import { startSystem, type System } from '../harness/system.js';

/** Two tenants on one platform: what the one shares the other sees, and nothing else; what leaves, leaves nothing behind. */
const ANNA = 'anna@leaving.example';
const PASSWORD = 'correct horse battery staple';

interface Erasure {
  id: string;
  state: string;
  services: Record<string, { state: string; erased_rows: Record<string, number> }>;
  receipt: { erased_rows: Record<string, Record<string, number>>; kept: Record<string, string> } | null;
  receipt_sha256: string | null;
}

let system: System;
let agency: { id: string; client: ApiClient };
let client: { id: string; client: ApiClient };
let site: string;
let other: string;
let siteId: number;
let organizationId: number;

beforeAll(async () => {
  system = await startSystem({ env: { PATCHWATCH_ERASURE_PAUSE_SECONDS: '0' } });
  agency = await join('Leaving agency', ANNA);
  client = await join('Client', 'ben@client.example');
  [site, other] = [await addSite('shop'), await addSite('intranet')];
  [siteId, organizationId] = await system
    .query<{ id: number; organization_id: number }>('SELECT id, organization_id FROM gateway.sites WHERE uuid = $1', [
      site,
    ])
    .then(([row]) => [row!.id, row!.organization_id]);
  // What is exported and counted must not grow meanwhile.
  await caughtUp(system);
}, 180_000);
afterAll(() => system?.stop());

/** A new organization and its administrator, who came by an invitation. */
async function join(name: string, email: string): Promise<{ id: string; client: ApiClient }> {
  const { data } = await system.client.request<{ id: string }>('POST', '/api/v1/organizations', { body: { name } });
  await system.client.request('POST', `/api/v1/organizations/${data.id}/invitations`, {
    body: { email, role: 'administrator' },
  });
  const letter = await eventually(
    async () =>
      (
        await system.query<{ text_body: string }>(
          `SELECT text_body FROM notifier.deliveries WHERE email = $1 AND kind LIKE '%invitation%'`,
          [email],
        )
      )[0],
    { what: `the invitation of ${email}` },
  );
  const token = /\/invitation#(\S+)/.exec(letter.text_body)![1];
  const person = new ApiClient(system.url);
  await person.request('POST', '/api/v1/auth/invitation', { body: { token, name: email, password: PASSWORD } });
  await person.login(email, PASSWORD);
  return { id: data.id, client: person };
}

async function addSite(name: string): Promise<string> {
  const { data } = await agency.client.request<{ site: { id: string }; key: string }>('POST', '/api/v1/sites', {
    body: { name, url: `https://${name}.example` },
  });
  const response = await fetch(`${system.url}/api/v1/sites/${data.site.id}/modules/sync`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': data.key },
    body: JSON.stringify({
      schema: 1,
      site_uuid: data.site.id,
      collected_at: new Date().toISOString(),
      sequence: 1,
      core: { version: '10.2.7' },
      modules: [{ project: 'token', version: '8.x-1.13', status: 'enabled' }],
    }),
  });
  expect(response.status).toBe(202);
  await exposed(agency.client, data.site.id);
  return data.site.id;
}

const exposed = (as: ApiClient, uuid: string) =>
  eventually(
    async () => {
      const { data } = await as.request<ExposureRow[]>('GET', `/api/v1/exposures?site=${uuid}`);
      return data.length > 0 ? data : null;
    },
    { timeoutMs: 30_000, what: `exposures of ${uuid}` },
  );
const sitesOf = async (as: ApiClient) =>
  (await as.request<SiteRow[]>('GET', '/api/v1/sites?sort=name')).data.map(({ id }) => id);

/** Every row of every table of all services whose text has one of `words`, as `schema.table`. */
async function traces(...words: string[]): Promise<string[]> {
  const tables = await system.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1`,
    [SERVICES],
  );
  const found = [];
  for (const { name } of tables) {
    // Bytes are shown in hex.
    const all = words.flatMap((word) => [word, Buffer.from(word).toString('hex')]);
    const [row] = await system.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM ${name} t WHERE to_jsonb(t)::text ILIKE ANY ($1)`,
      [all.map((word) => `%${word}%`)],
    );
    if (row!.rows > 0) found.push(name);
  }
  return found;
}

/** Tables that still have rows with the integer ids of what was erased. */
async function leftovers(): Promise<string[]> {
  const columns = await system.query<{ name: string; column: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, a.attname::text AS column
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p') AND a.attname IN ('organization_id', 'guest_organization_id', 'site_id') ORDER BY 1`,
    [SERVICES],
  );
  const found = [];
  for (const { name, column } of columns) {
    const [row] = await system.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM ${name} WHERE ${column} = ANY ($1::bigint[])`,
      [column === 'site_id' ? [siteId] : [organizationId]],
    );
    if (row!.rows > 0) found.push(`${name}.${column}`);
  }
  return found;
}

async function erase(subject: string, id: string): Promise<Erasure> {
  const { data } = await system.client.request<Erasure>('POST', '/api/v1/erasures', { body: { subject, id } });
  expect(data.state).toBe('running');
  return eventually(
    async () => {
      const now = await system.client.request<Erasure>('GET', `/api/v1/erasures/${data.id}`);
      return now.data.state === 'done' ? now.data : null;
    },
    { timeoutMs: 40_000, what: `the erasure of ${subject} ${id}` },
  );
}

it('S52, S54 shows a tenant what is shared with her, and nothing else of the other', async () => {
  expect(await sitesOf(agency.client)).toEqual([other, site]);
  expect(await sitesOf(client.client)).toEqual([]);
  await agency.client.request('PUT', `/api/v1/sites/${site}/organizations/${client.id}`);
  expect(await sitesOf(client.client)).toEqual([site]);
  await exposed(client.client, site);
  const { data } = await client.client.request<ExposureRow[]>('GET', '/api/v1/exposures?per_page=100');
  expect(new Set(data.map((row) => row.site_id))).toEqual(new Set([site]));
  await expect(client.client.request('GET', `/api/v1/sites/${other}`)).rejects.toMatchObject({ code: 'not_found' });
  const modules = await client.client.request<{ module: string }[]>('GET', `/api/v1/sites/${site}/modules`);
  expect(modules.data.map(({ module }) => module).sort()).toEqual(['drupal', 'token']);
  const { data: overview } = await client.client.request<{ fleet?: { sites: number } }>(
    'GET',
    '/api/v1/dashboard/overview',
  );
  expect(JSON.stringify(overview)).not.toContain(other);
});

interface Exported {
  service?: string;
  table?: string;
  row?: Record<string, unknown>;
  end?: boolean;
  rows?: number;
  sha256?: string;
}

async function exported(as: ApiClient, path: string): Promise<{ status: number; text: string; lines: Exported[] }> {
  const response = await fetch(`${system.url}/api/v1/${path}/export`, {
    headers: { authorization: `Bearer ${as.accessToken()}` },
  });
  const text = await response.text();
  const lines = response.ok
    ? text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Exported)
    : [];
  return { status: response.status, text, lines };
}

it('hands an administrator all that is held of her organization, whole and provably so, and nothing of others', async () => {
  const { text, lines } = await exported(agency.client, `organizations/${agency.id}`);
  const { end, rows, sha256 } = lines.at(-1)!;
  expect({ end, rows }).toEqual({ end: true, rows: lines.length - 2 });
  const before = text.slice(0, text.trimEnd().lastIndexOf('\n') + 1);
  expect(createHash('sha256').update(before).digest('hex')).toBe(sha256);
  const tables = new Set(lines.map(({ service, table }) => `${service}.${table}`));
  expect([...tables]).toEqual(
    expect.arrayContaining([
      'gateway.organizations',
      'gateway.sites',
      'gateway.users',
      'gateway.api_keys',
      'gateway.audit_log',
      'ingest.raw_pushes',
      'ingest.site_modules',
      'reporting.exposures',
      'notifier.deliveries',
    ]),
  );
  // As many rows as there are, table by table.
  for (const name of ['gateway.sites', 'ingest.receipts', 'ingest.site_modules', 'reporting.exposures']) {
    const [row] = await system.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM ${name} WHERE organization_id = $1`,
      [organizationId],
    );
    expect([name, lines.filter((line) => `${line.service}.${line.table}` === name).length]).toEqual([name, row!.rows]);
  }
  expect(text).toContain(ANNA);
  expect(text).not.toContain('ben@client.example');
  expect(text).not.toMatch(/"(password_hash|secret_hash|token_hash|text_body)":/);
  expect((await exported(client.client, `organizations/${agency.id}`)).status).toBe(404);
});

it('hands a person all that is held of her, and to nobody else but superusers', async () => {
  const anna = (await agency.client.request<{ id: string }>('GET', '/api/v1/auth/me')).data.id;
  const { lines, text } = await exported(agency.client, `users/${anna}`);
  const tables = new Set(lines.map(({ service, table }) => `${service}.${table}`));
  expect([...tables]).toEqual(
    expect.arrayContaining([
      'gateway.users',
      'gateway.memberships',
      'gateway.sessions',
      'notifier.people',
      'notifier.deliveries',
    ]),
  );
  expect(text).not.toContain('ben@client.example');
  expect((await exported(client.client, `users/${anna}`)).status).toBe(403);
  expect((await exported(system.client, `users/${anna}`)).status).toBe(200);
});

it('erases an organization only after it was removed', async () => {
  await expect(
    system.client.request('POST', '/api/v1/erasures', { body: { subject: 'organization', id: agency.id } }),
  ).rejects.toMatchObject({ code: 'validation_failed' });
  await expect(
    agency.client.request('POST', '/api/v1/erasures', { body: { subject: 'organization', id: agency.id } }),
  ).rejects.toMatchObject({ code: 'forbidden' });
  await system.client.request('DELETE', `/api/v1/organizations/${agency.id}`);
});

it('S83 leaves nothing of an erased organization in any table of any service, but pseudonyms in the audit log and the receipt', async () => {
  expect(await leftovers()).not.toEqual([]);
  const { receipt, receipt_sha256, services, id } = await erase('organization', agency.id);
  expect(await leftovers()).toEqual(['gateway.audit_log.organization_id']);
  expect(await traces(site, other, agency.id)).toEqual(['gateway.audit_log', 'gateway.erasures']);
  expect(receipt!.erased_rows).toMatchObject({
    gateway: { organizations: 1, sites: 2, memberships: 1 },
    ingest: { receipts: 2, raw_pushes: 2, site_states: 2 },
    reporting: { organizations: 1, sites: 2, site_summaries: 2 },
    notifier: { organizations: 1, sites: 2 },
  });
  expect(Object.keys(receipt!.kept)).toContain('gateway.audit_log');
  expect(Object.values(services).map(({ state }) => state)).toEqual(Array(5).fill('answered'));
  const lines = await system.query<{ detail: { receipt_sha256: string } }>(
    `SELECT detail FROM gateway.audit_log WHERE action = 'erasure.finished' AND subject = $1`,
    [`erasure:${id}`],
  );
  expect(lines.map(({ detail }) => detail.receipt_sha256)).toEqual([receipt_sha256]);
  const [stored] = await system.query<{ receipt: string }>('SELECT receipt FROM gateway.erasures WHERE uuid = $1', [
    id,
  ]);
  expect(createHash('sha256').update(stored!.receipt).digest('hex')).toBe(receipt_sha256);
  expect(await sitesOf(client.client)).toEqual([]);
});

it('S83 leaves nothing of it in Redis', async () => {
  const redis = new Redis(system.redis.url);
  try {
    const keys = await redis.keys('*');
    for (const uuid of [site, other, agency.id]) expect(keys.filter((key) => key.includes(uuid))).toEqual([]);
  } finally {
    redis.disconnect();
  }
});

it('S83 leaves nothing of an erased person, in the audit log either, and lets nobody be her', async () => {
  const [anna] = await system.query<{ uuid: string; id: number }>(
    'SELECT uuid, id FROM gateway.users WHERE email = $1',
    [ANNA],
  );
  expect(await traces(ANNA)).not.toEqual([]);
  const { receipt } = await erase('user', anna!.uuid);
  expect(await traces(ANNA)).toEqual([]);
  expect(receipt!.erased_rows).toMatchObject({ gateway: { users: 1 }, notifier: { people: 1 } });
  await expect(agency.client.request('GET', '/api/v1/auth/me')).rejects.toMatchObject({ status: 401 });
  await expect(new ApiClient(system.url).login(ANNA, PASSWORD)).rejects.toMatchObject({ code: 'invalid_credentials' });
  // Others are as they were.
  expect((await client.client.request<{ email: string }>('GET', '/api/v1/auth/me')).data.email).toBe(
    'ben@client.example',
  );
});
