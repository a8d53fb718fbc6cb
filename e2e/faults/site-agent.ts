import { randomUUID } from 'node:crypto';
import { inParallel, type ApiClient } from '../../tools/cli/api-client.js';
import type { Platform } from './platform/platform.js';

/** `changed`: another inventory than before. `unchanged`: the same in full. `heartbeat`: its hash alone. */
export type PushKind = 'changed' | 'unchanged' | 'heartbeat';

/** Where all sites of the harness say that they are, and are registered. */
const SITE_URL = 'https://site.example';

/** One push as a site sends it; repeating it repeats everything. */
export interface SitePush {
  readonly agent: SiteAgent;
  readonly pushId: string;
  readonly sequence: number;
  readonly kind: PushKind;
  readonly body: Buffer;
}

/** A site as its own agent sees it: what it runs, and how far it has counted. */
export class SiteAgent {
  sequence = 0;
  epoch: number | null = null;
  /** Which inventory it runs; raised with every change. */
  version = 0;

  constructor(
    /** The platform's own number of the site. */
    readonly id: number,
    readonly uuid: string,
    readonly key: string,
  ) {}

  /** The next push. @param more members to add or to replace */
  next(kind: PushKind = 'changed', more: Record<string, unknown> = {}): SitePush {
    if (kind === 'changed') this.version++;
    const pushId = randomUUID();
    const sequence = ++this.sequence;
    const body = {
      schema: 1,
      site_uuid: this.uuid,
      url: SITE_URL,
      environment: 'prod',
      push_id: pushId,
      collected_at: new Date().toISOString(),
      sequence,
      ...(this.epoch === null ? {} : { epoch: this.epoch }),
      inventory_hash: `inventory-of-${this.id}-${this.version}`.padEnd(24, '-'),
      ...(kind === 'heartbeat' ? {} : this.inventory()),
      ...more,
    };
    const { push_id, sequence: sent } = body as { push_id: string; sequence: number };
    return { agent: this, pushId: push_id, sequence: sent, kind, body: Buffer.from(JSON.stringify(body)) };
  }

  /** Small on purpose; every tenth version has a core with known holes, so that exposures open and close. */
  private inventory(): Record<string, unknown> {
    const modules = ['alpha', 'beta', 'gamma'].map((name, i) => ({
      project: `harness_${name}`,
      version: `1.${i === 0 ? this.version : (this.version >> (2 * i)) % 50}.0`,
      status: 'enabled',
    }));
    return {
      core: { version: this.version % 10 === 9 ? '10.2.7' : '11.2.9' },
      modules: [...modules, { project: 'token', version: `8.x-1.${10 + (this.version % 5)}`, status: 'enabled' }],
    };
  }
}

/** Registers sites by the API, as an administrator would. */
export async function registerSites(platform: Platform, count: number, name: string): Promise<SiteAgent[]> {
  const made: { uuid: string; key: string }[] = [];
  await inParallel(
    Array.from({ length: count }, (_, i) => i),
    8,
    async (i) => {
      made.push(await registerSite(platform.client, `${name} ${i}`));
    },
  );
  const rows = await platform.query<{ id: number; uuid: string }>(
    'SELECT id, uuid::text AS uuid FROM gateway.sites WHERE uuid = ANY($1::uuid[])',
    [made.map(({ uuid }) => uuid)],
  );
  const ids = new Map(rows.map(({ id, uuid }) => [uuid, id]));
  return made.map(({ uuid, key }) => new SiteAgent(ids.get(uuid)!, uuid, key));
}

async function registerSite(client: ApiClient, name: string): Promise<{ uuid: string; key: string }> {
  const { data } = await client.request<{ site: { id: string }; key: string }>('POST', '/api/v1/sites', {
    body: { name, url: SITE_URL, environment: 'prod' },
  });
  return { uuid: data.site.id, key: data.key };
}
