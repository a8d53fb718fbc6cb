import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { SiteAgent } from './site-agent.js';

/** An entry as it lies in the stream, and why it must be dead; `code` null: it may be applied, in one way or another. */
export interface RawEntry {
  readonly fields: readonly (string | Buffer)[];
  readonly code: string | null;
  /** The push that it claims to be, where that can be read. */
  readonly pushId: string | null;
}

/** One of each kind of entry that no handler can do anything with. Each is different every time. */
export function rawEntries(site: SiteAgent): RawEntry[] {
  const unique = randomUUID();
  const good = inventoryOf(site);
  return [
    { fields: ['other', unique], code: 'malformed_entry', pushId: null },
    { fields: ['facts', `{"v":1,"id":"${unique}"`, 'body', 'x'], code: 'malformed_entry', pushId: null },
    { fields: ['facts', `["${unique}"]`, 'body', 'x'], code: 'malformed_entry', pushId: null },
    {
      fields: ['facts', Buffer.from([0xff, 0xfe, ...Buffer.from(unique)]), 'body', Buffer.alloc(0)],
      code: 'malformed_entry',
      pushId: null,
    },
    push(site, { encoding: 'brotli' }, good, 'malformed_entry', false),
    push(site, { meta: null }, good, 'invalid_schema', false),
    push(site, { meta: 'not an object' }, good, 'invalid_schema', false),
    push(site, { sequence: 'many' }, good, 'invalid_schema'),
    push(site, { received_at: 'yesterday\u0000' }, good, 'invalid_schema'),
    push(site, { inventory_hash: { 'lone \ud800': '\udfff' } }, good, 'invalid_schema'),
    push(site, {}, Buffer.from('{"modules":['), 'undecodable_body'),
    push(site, { encoding: 'gzip' }, Buffer.from('no gzip at all'), 'undecodable_body'),
    push(site, { encoding: 'gzip' }, gzipSync(good).subarray(0, 30), 'undecodable_body'),
    push(site, {}, Buffer.from('{"modules":7}'), 'invalid_inventory'),
  ];
}

function push(site: SiteAgent, wrong: Record<string, unknown>, body: Buffer, code: string, readable = true): RawEntry {
  const pushId = randomUUID();
  const { encoding = 'identity', meta, ...facts } = wrong;
  const now = new Date().toISOString();
  const right = {
    push_id: pushId,
    site_id: site.id,
    site_uuid: site.uuid,
    organization_id: 1,
    kind: 'full',
    epoch: null,
    sequence: 1_000_000 + ++site.sequence,
    complete: true,
    collected_at: now,
    received_at: now,
    inventory_hash: null,
    ...facts,
  };
  const envelope = {
    v: 1,
    id: randomUUID(),
    type: 'gateway.push-received',
    version: 1,
    org: 1,
    key: 'past-the-gateway',
    at: now,
    correlation: pushId,
    causation: null,
    trace: null,
    hash: null,
    encoding,
    meta: 'meta' in wrong ? meta : right,
  };
  return { fields: ['facts', JSON.stringify(envelope), 'body', body], code, pushId: readable ? pushId : null };
}

function inventoryOf(site: SiteAgent): Buffer {
  return Buffer.from(
    JSON.stringify({ site_uuid: site.uuid, sequence: 1, modules: [{ project: 'token', version: '8.x-1.15' }] }),
  );
}
