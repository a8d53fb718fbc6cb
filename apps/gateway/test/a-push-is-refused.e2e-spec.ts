import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { eventually } from '#libs/testing';
import { newKey } from '../src/site-key/site-key.js';
import {
  addSite,
  gatewayInABox,
  inventory,
  logIn,
  queuedPushes,
  request,
  type Box,
  type TestSite,
} from './gateway-in-a-box.js';

interface Problem {
  readonly code: string;
  readonly type: string;
  readonly request_id: string;
  readonly errors?: { pointer: string; code: string }[];
}

describe('a push that is refused', () => {
  let box: Box;
  let token: string;
  let site: TestSite;
  let other: TestSite;
  let base: string;
  beforeAll(async () => {
    box = await gatewayInABox();
    base = box.gateway.url;
    token = await logIn(base);
    site = await addSite(base, token);
    other = await addSite(base, token, 'Library');
  });
  afterAll(() => box.close());
  // Whatever was refused left nothing in the queue, and the gateway still works.
  afterEach(async () => {
    expect(await queuedPushes(box)).toEqual([]);
    expect((await request(base, 'GET', '/healthz')).status).toBe(200);
  });

  const path = (uuid = site.uuid) => `/api/v1/sites/${uuid}/modules/sync`;
  const push = (body: unknown, headers: Record<string, string> = {}) =>
    request<Problem>(base, 'POST', path(), { key: site.key, body, headers });
  const told = ({ status, body }: { status: number; body: Problem }) =>
    `${status} ${body.code}${(body.errors ?? []).map(({ code, pointer }) => ` ${code}:${pointer}`).join('')}`;
  const text = (more: Record<string, unknown>) => JSON.stringify(inventory(site.uuid, more));

  describe('for its content', () => {
    it.each<[string, () => unknown, string]>([
      ['no object', () => '[]', '422 invalid_push wrong_type:'],
      ['no JSON', () => '{"a"', '400 invalid_json'],
      [
        'nothing at all',
        () => '{}',
        '422 invalid_push required:/site_uuid required:/collected_at required:/sequence required:/inventory_hash',
      ],
      ['another site', () => inventory(other.uuid), '422 invalid_push site_mismatch:/site_uuid'],
      ['a site that is no UUID', () => inventory('urn:uuid:' + site.uuid), '422 invalid_push wrong_format:/site_uuid'],
      [
        'a day that does not exist',
        () => inventory(site.uuid, { collected_at: '2026-13-40T99:99:99Z' }),
        '422 invalid_push wrong_format:/collected_at',
      ],
      [
        'a minute that does not exist',
        () => inventory(site.uuid, { collected_at: '2026-02-28T23:61:00Z' }),
        '422 invalid_push wrong_format:/collected_at',
      ],
      [
        'a year before Drupal',
        () => inventory(site.uuid, { collected_at: '0000-01-01T00:00:00Z' }),
        '422 invalid_push out_of_range:/collected_at',
      ],
      [
        'a sequence that is text',
        () => inventory(site.uuid, { sequence: '1' }),
        '422 invalid_push wrong_type:/sequence',
      ],
      [
        'a sequence beyond what is exact',
        () => inventory(site.uuid, { sequence: 2 ** 53 }),
        '422 invalid_push out_of_range:/sequence',
      ],
      [
        'both forms of inventory',
        () => inventory(site.uuid, { extensions: [] }),
        '422 invalid_push one_inventory_form:/modules',
      ],
      [
        'an unknown member',
        () => inventory(site.uuid, { users: ['secret@example.org'] }),
        '422 invalid_push unknown_member:/users',
      ],
      [
        'several mistakes',
        () => inventory(site.uuid, { sequence: -1, php: { version: 8 }, modules: [{}, { project: 'a b' }] }),
        '422 invalid_push out_of_range:/sequence wrong_type:/php wrong_type:/php/version required:/modules/0/project wrong_format:/modules/1/project',
      ],
      [
        '5,001 modules',
        () => inventory(site.uuid, { modules: Array.from({ length: 5001 }, () => ({ project: 'a' })) }),
        '422 invalid_push too_many:/modules',
      ],
      [
        'a member twice',
        () => text({}).replace('"sequence":1', '"sequence":1,"sequence":2'),
        '422 invalid_push duplicate_member:/sequence',
      ],
      [
        '__proto__',
        () => text({}).replace('"core":', '"__proto__":{"complete":false},"core":'),
        '422 invalid_push forbidden_member:/__proto__',
      ],
      ['a byte order mark', () => '\ufeff' + text({}), '400 invalid_encoding'],
      ['Latin-1', () => Buffer.from(text({ site_name: 'Zürich' }), 'latin1'), '400 invalid_encoding'],
      ['NUL', () => text({ site_name: 'a\0b' }), '422 invalid_push unreadable_text:/site_name'],
      [
        '120,000 unknown members',
        () =>
          JSON.stringify({
            ...inventory(site.uuid),
            ...Object.fromEntries(Array.from({ length: 120_000 }, (_, i) => [`k${i}`, 1])),
          }),
        '422 invalid_push unknown_member:/k0',
      ],
    ])('%s', async (_what, body, expected) => {
      const reply = await push(body());
      expect(told(reply)).toBe(expected);
      expect(reply.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(reply.headers.get('x-request-id')).toBe(reply.body.request_id);
      expect(reply.body.type).toBe(`/docs/errors#${reply.body.code}`);
    });

    it.each<[string, () => Buffer, string]>([
      ['no gzip', () => Buffer.from('{}'), '400 invalid_gzip'],
      ['gzip that ends too early', () => gzipSync(text({})).subarray(0, -20), '400 invalid_gzip'],
      ['a small bomb', () => gzipSync(Buffer.alloc(30 * 1024 * 1024, ' ')), '413 payload_too_large'],
      ['a bomb of a gigabyte', () => gzipSync(Buffer.alloc(1024 * 1024 * 1024)), '413 payload_too_large'],
      [
        'five million nested arrays',
        () => gzipSync(`{"modules":${'['.repeat(5_000_000)}${']'.repeat(5_000_000)}}`),
        '422 invalid_push too_deep:',
      ],
      ['three megabytes that do not compress', () => Buffer.alloc(3 * 1024 * 1024), '413 payload_too_large'],
    ])('%s, sent as gzip, at little cost', async (_what, body, expected) => {
      const bytes = body();
      const before = process.memoryUsage().rss;
      const started = performance.now();
      const reply = await push(bytes, { 'content-encoding': 'gzip' });
      expect(told(reply)).toBe(expected);
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    });

    it.each<[string, Record<string, string>, string]>([
      ['deflate', { 'content-encoding': 'deflate' }, '415 unsupported_content_encoding'],
      ['gzip twice', { 'content-encoding': 'gzip, gzip' }, '415 unsupported_content_encoding'],
      ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, '415 unsupported_media_type'],
      ['text', { 'content-type': 'text/plain' }, '415 unsupported_media_type'],
    ])('%s', async (_what, headers, expected) => {
      expect(told(await push(text({}), headers))).toBe(expected);
    });
  });

  describe('for its key', () => {
    const withKey = (key: string | undefined, uuid = site.uuid, query = '') =>
      request<Problem>(base, 'POST', path(uuid) + query, {
        ...(key === undefined ? {} : { key }),
        body: inventory(uuid),
      });

    it('missing, mistyped, invented or of another kind: 401', async () => {
      const mistyped = site.key.slice(0, -1) + (site.key.endsWith('0') ? '1' : '0');
      // Public id of a key that exists, another secret, right checksum: the checksum authorises nothing (S45).
      const invented = newKey('site').text;
      const codes: string[] = [];
      for (const key of [undefined, 'x', mistyped, invented, newKey('integration').text])
        codes.push(told(await withKey(key)));
      expect(codes).toEqual(['401 missing_credentials', ...Array<string>(4).fill('401 invalid_api_key')]);
    });

    it('right, but of another site: the same 404 as for a site that does not exist', async () => {
      const [wrong, unknown, malformed] = [
        await withKey(site.key, other.uuid),
        await withKey(site.key, randomUUID()),
        await withKey(site.key, 'no-uuid'),
      ];
      expect([told(wrong), told(unknown), told(malformed)]).toEqual(Array(3).fill('404 not_found'));
      expect({ ...wrong.body, request_id: '', instance: '' }).toEqual({
        ...unknown.body,
        request_id: '',
        instance: '',
      });
    });

    it('in the address: never taken, and not repeated in the answer (S49)', async () => {
      const reply = await withKey(undefined, site.uuid, `?api_key=${site.key}`);
      expect(told(reply)).toBe('400 key_in_query');
      expect(JSON.stringify(reply.body)).not.toContain(site.key);
    });

    it('with a parameter that does not exist: named', async () => {
      expect(told(await withKey(site.key, site.uuid, '?dry_run=1'))).toBe(
        '400 unknown_parameter unknown_member:/dry_run',
      );
    });

    it('expired', async () => {
      const issued = await request<{ data: { key: string; key_id: string } }>(
        base,
        'POST',
        `/api/v1/sites/${site.uuid}/keys`,
        {
          token,
          body: { expires_in_hours: 1 },
        },
      );
      await box.database.query(`UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE public_id = $1`, [
        issued.body.data.key_id,
      ]);
      expect(told(await withKey(issued.body.data.key))).toBe('401 invalid_api_key');
    });

    it('of a site that was removed, at once and on every replica', async () => {
      const replica = await box.replica();
      const removed = await addSite(base, token, 'Short-lived');
      const probe = (url: string) =>
        request<Problem>(url, 'POST', path(removed.uuid), { key: removed.key, body: '{' }).then(told);
      // Both have the key in memory now.
      expect([await probe(base), await probe(replica.url)]).toEqual(['400 invalid_json', '400 invalid_json']);
      expect((await request(base, 'DELETE', `/api/v1/sites/${removed.uuid}`, { token })).status).toBe(204);
      expect(await probe(base)).toBe('401 invalid_api_key');
      await eventually(async () => (await probe(replica.url)) === '401 invalid_api_key', {
        what: 'the other replica to refuse the key',
        timeoutMs: 3_000,
      });
    });
  });

  it('leaves an audit line with its reason; a thousand of one kind leave one with their number', async () => {
    const lone = await addSite(base, token, 'Noisy');
    const send = () => request<Problem>(base, 'POST', path(lone.uuid), { key: lone.key, body: '{' });
    expect((await send()).status).toBe(400);
    const lines = () =>
      box.database.query<{ reason: string; actor: string; occurrences: number; organization_id: number }[]>(
        'SELECT reason, actor, occurrences, organization_id FROM audit_log WHERE action = $1 AND subject = $2 ORDER BY id',
        ['push.refused', `site:${lone.uuid}`],
      );
    const [line] = await eventually(async () => ((await lines()).length > 0 ? lines() : null), {
      what: 'the audit line',
    });
    expect(line).toEqual({
      reason: 'invalid_json',
      actor: `key:${lone.key.slice(8, 16)}`,
      occurrences: 1,
      organization_id: 1,
    });
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 20 }, send));
    // The rest of the minute is one line, written when the minute is over or the gateway stops.
    expect(await lines()).toHaveLength(1);
  });
});
