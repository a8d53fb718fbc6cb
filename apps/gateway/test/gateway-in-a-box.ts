import { randomUUID } from 'node:crypto';
import { QUEUES } from '#libs/contracts';
import { prepareDatabase } from '#libs/database';
import { loadConfig } from '#libs/runtime';
import { connectRedis, fromFields, streamKey, type Envelope, type RedisConnection } from '#libs/streams';
import { emptyDatabase, eventually, testRedis, type TestRedis } from '#libs/testing';
import { DataSource } from 'typeorm';
import { entities } from '../src/database/entities.js';
import { migrations } from '../src/database/migrations/index.js';
import { breakableLink, type BreakableLink } from './breakable-link.js';
import { startGateway, type RunningGateway } from '../src/start.js';

export const EMAIL = 'first@agency.example';
export const PASSWORD = 'correct horse battery staple';

export interface Box {
  readonly gateway: RunningGateway;
  readonly redis: TestRedis;
  /** A second one for the cache, so that it can go away alone. */
  readonly cache: TestRedis;
  readonly streams: RedisConnection;
  readonly cacheLink: RedisConnection;
  /** The gateway's way to Postgres. */
  readonly databaseLink: BreakableLink;
  /** As the owner of the database. */
  readonly database: DataSource;
  /** Another gateway on the same servers. */
  replica(env?: Record<string, string>): Promise<RunningGateway>;
  close(): Promise<void>;
}

/** The whole gateway on real servers, as its own role: nothing that only the owner may do passes unseen. */
export async function gatewayInABox(env: Record<string, string> = {}): Promise<Box> {
  const { url, drop } = await emptyDatabase();
  const role = 'patchwatch_gateway_test';
  await prepareDatabase({
    adminUrl: url,
    services: [{ schema: 'gateway', role, password: 'not-a-secret', entities, migrations }],
  });
  const redis = await testRedis();
  const cache = await testRedis();
  const databaseLink = await breakableLink(url);
  const roleUrl = new URL(databaseLink.url);
  roleUrl.username = role;
  roleUrl.password = 'not-a-secret';
  const start = (more: Record<string, string> = {}): Promise<RunningGateway> =>
    startGateway(
      loadConfig('gateway', {
        PATCHWATCH_DATABASE_URL: roleUrl.href,
        PATCHWATCH_STREAMS_URL: redis.url,
        PATCHWATCH_CACHE_URL: cache.url,
        PATCHWATCH_PORT: '0',
        PATCHWATCH_JWT_SECRET: 'j'.repeat(40),
        PATCHWATCH_PEPPER: 'p'.repeat(40),
        PATCHWATCH_BOOTSTRAP_EMAIL: EMAIL,
        PATCHWATCH_BOOTSTRAP_PASSWORD: PASSWORD,
        PATCHWATCH_PASSWORD_COST: '4',
        PATCHWATCH_LOG_LEVEL: process.env['PATCHWATCH_TEST_LOG_LEVEL'] ?? 'silent',
        ...env,
        ...more,
      }),
    );
  const running: RunningGateway[] = [];
  const gateway = await start();
  running.push(gateway);
  const streams = connectRedis(redis.url, { name: 'test', role: 'streams' });
  const cacheLink = connectRedis(cache.url, { name: 'test', role: 'streams' });
  await Promise.all([streams.ready(), cacheLink.ready()]);
  const database = await new DataSource({
    type: 'postgres',
    url,
    schema: 'gateway',
    entities,
    extra: { options: '-c search_path=gateway' },
  }).initialize();
  return {
    gateway,
    redis,
    cache,
    streams,
    cacheLink,
    databaseLink,
    database,
    replica: async (more) => {
      const other = await start(more);
      running.push(other);
      return other;
    },
    close: async () => {
      for (const one of running) await one.stop();
      await Promise.all([streams.close(), cacheLink.close(), database.destroy()]);
      await Promise.all([redis.stop(), cache.stop(), databaseLink.close()]);
      await drop();
    },
  };
}

export interface Reply<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/**
 * One request; the body is parsed when it is JSON. A POST has an Idempotency-Key of its own and a change is based on
 * whatever is there, unless the test says otherwise; '': the header is not sent.
 */
export async function request<
  T = { data: Record<string, unknown>; meta: Record<string, unknown>; links: Record<string, string | null> },
>(
  base: string,
  method: string,
  path: string,
  options: { token?: string; key?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Reply<T>> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  if (options.key !== undefined) headers['x-api-key'] = options.key;
  if (method === 'POST') headers['idempotency-key'] ??= randomUUID();
  if (method === 'PATCH' || method === 'DELETE') headers['if-match'] ??= '*';
  for (const name of ['idempotency-key', 'if-match']) if (headers[name] === '') delete headers[name];
  let body: string | Uint8Array<ArrayBuffer> | null = null;
  if (options.body instanceof Uint8Array) body = new Uint8Array(options.body);
  else if (options.body !== undefined)
    body = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
  if (body !== null) headers['content-type'] ??= 'application/json';
  const response = await fetch(new URL(path, base), { method, headers, body, redirect: 'manual' });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
}

/** A token of the first superuser. A test before may have restarted a server: 503 is waited out, anything else is an error. */
export async function logIn(base: string): Promise<string> {
  const reply = await eventually(
    async () => {
      const answer = await request<{ data: { access_token: string } }>(base, 'POST', '/api/v1/auth/login', {
        body: { email: EMAIL, password: PASSWORD },
      });
      return answer.status === 503 ? null : answer;
    },
    { what: 'the gateway to have its servers back' },
  );
  if (reply.status !== 200) throw new Error(`log-in failed: ${JSON.stringify(reply.body)}`);
  return reply.body.data.access_token;
}

export interface TestSite {
  readonly uuid: string;
  readonly key: string;
}

export async function addSite(base: string, token: string, name = 'Town hall'): Promise<TestSite> {
  const { status, body } = await request<{ data: { site: { id: string }; key: string } }>(
    base,
    'POST',
    '/api/v1/sites',
    {
      token,
      body: { name, url: 'https://town-hall.example' },
    },
  );
  if (status !== 201) throw new Error(`no site: ${JSON.stringify(body)}`);
  return { uuid: body.data.site.id, key: body.data.key };
}

/** What waits in the queue of pushes, oldest first. */
export async function queuedPushes(box: Box): Promise<Envelope[]> {
  const entries = await box.streams.client.xrangeBuffer(streamKey(QUEUES.ingestPushes.name, 0), '-', '+');
  return (entries as unknown as [Buffer, Buffer[]][]).map(([, fields]) => fromFields(fields));
}

/** A push as a site would send it. */
export function inventory(siteUuid: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    schema: 1,
    site_uuid: siteUuid,
    collected_at: '2026-01-02T03:04:05Z',
    sequence: 1,
    complete: true,
    core: { version: '10.3.1' },
    modules: [{ project: 'views', type: 'module', version: '8.x-1.0', status: 'enabled' }],
    ...more,
  };
}
