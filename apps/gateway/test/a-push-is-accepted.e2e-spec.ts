import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pushReceipt, pushReceived } from '#libs/contracts';
import Schema from 'typebox/schema';
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
import { OtherServices } from './other-services.js';

describe('a push that is accepted', () => {
  let box: Box;
  let token: string;
  let site: TestSite;
  let base: string;
  const others = new OtherServices();
  beforeAll(async () => {
    box = await gatewayInABox();
    await others.start(box.cache.url);
    base = box.gateway.url;
    token = await logIn(base);
    site = await addSite(base, token);
  });
  afterAll(async () => {
    await others.stop();
    await box.close();
  });

  const push = (body: unknown, headers: Record<string, string> = {}) =>
    request(base, 'POST', `/api/v1/sites/${site.uuid}/modules/sync`, { key: site.key, body, headers });

  it('is in the queue, byte for byte, when the site gets its 202', async () => {
    const body = gzipSync(JSON.stringify(inventory(site.uuid, { epoch: 3, sequence: 7 })));
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const reply = await push(body, { 'content-encoding': 'gzip', 'x-request-id': 'my-own-request-id', traceparent });
    expect(reply.status).toBe(202);
    expect(reply.body).toEqual({
      data: { push_id: expect.any(String), state: 'queued' },
      meta: { request_id: 'my-own-request-id' },
      links: { self: `/api/v1/sites/${site.uuid}/pushes/${String(reply.body.data.push_id)}` },
    });
    const envelope = (await queuedPushes(box)).at(-1)!;
    expect(envelope.body.equals(body)).toBe(true);
    expect(envelope).toMatchObject({
      type: 'gateway.push-received',
      key: site.uuid,
      contentEncoding: 'gzip',
      contentHash: createHash('sha256').update(body).digest('hex'),
      correlationId: 'my-own-request-id',
      traceparent,
      meta: {
        push_id: reply.body.data.push_id,
        site_uuid: site.uuid,
        kind: 'full',
        epoch: 3,
        sequence: 7,
        complete: true,
        collected_at: '2026-01-02T03:04:05.000Z',
        inventory_hash: null,
      },
    });
  });

  it('follows the contract that ingest checks it against', async () => {
    await push(inventory(site.uuid, { collected_at: '2026-01-02T03:04:05+02:00', complete: false }));
    const envelope = (await queuedPushes(box)).at(-1)!;
    expect(envelope.contentEncoding).toBe('identity');
    expect(Schema.Errors(pushReceived.schema, envelope.meta)).toEqual([true, []]);
    expect(envelope.meta).toMatchObject({ collected_at: '2026-01-02T01:04:05.000Z', complete: false, epoch: null });
  });

  it('keeps the id that the site gave it', async () => {
    const pushId = randomUUID();
    const reply = await push(inventory(site.uuid, { push_id: pushId.toUpperCase() }));
    expect(reply.body.data.push_id).toBe(pushId);
  });

  it('may be written with the UUID in capitals, in body and address', async () => {
    const reply = await request(base, 'POST', `/api/v1/sites/${site.uuid.toUpperCase()}/modules/sync`, {
      key: site.key,
      body: inventory(site.uuid.toUpperCase()),
    });
    expect(reply.status).toBe(202);
    expect((await queuedPushes(box)).at(-1)!.key).toBe(site.uuid);
  });

  it('carries the headers that every answer has, and tells its limit', async () => {
    const { headers } = await push(inventory(site.uuid));
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('ratelimit-policy')).toBe('"push";q=600;w=60');
    expect(headers.get('ratelimit')).toMatch(/^"push";r=\d+;t=\d+$/);
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('gets an id of ours when its own could do harm in a log', async () => {
    const { headers } = await push(inventory(site.uuid), { 'x-request-id': 'a"b{}; rm' });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  describe('has a state', () => {
    it('queued, for the site and for its people, as long as ingest has no receipt', async () => {
      others.answer(pushReceipt, () => null);
      const { links, data } = (await push(inventory(site.uuid))).body;
      for (const asker of [{ key: site.key }, { token }]) {
        const state = await request(base, 'GET', links.self!, asker);
        expect(state.status).toBe(200);
        expect(state.body.data).toMatchObject({ push_id: data.push_id, state: 'queued', reason: null });
      }
    });

    it('as ingest tells it, once there is a receipt', async () => {
      const receipt = {
        push_id: randomUUID(),
        state: 'superseded',
        reason: 'older_than_current',
        detail: 'A newer inventory is there.',
        epoch: 1,
        sequence: 4,
        received_at: '2026-01-02T03:04:05.000Z',
        settled_at: '2026-01-02T03:04:06.000Z',
        changes: 0,
      };
      others.answer(pushReceipt, () => receipt);
      const path = `/api/v1/sites/${site.uuid}/pushes/${receipt.push_id}`;
      const state = await request(base, 'GET', path, { key: site.key });
      expect(state.body.data).toEqual(receipt);
      // Nothing will change any more: the reader who has it gets 304 and no body.
      const again = await request(base, 'GET', path, {
        key: site.key,
        headers: { 'if-none-match': state.headers.get('etag')! },
      });
      expect(again.status).toBe(304);
      expect(again.body).toBe('');
    });

    it('none, when nobody accepted it, or when it is another site’s', async () => {
      others.answer(pushReceipt, () => null);
      const other = await addSite(base, token, 'Library');
      const { data } = (await push(inventory(site.uuid))).body;
      const answers = await Promise.all([
        request(base, 'GET', `/api/v1/sites/${site.uuid}/pushes/${randomUUID()}`, { key: site.key }),
        request(base, 'GET', `/api/v1/sites/${site.uuid}/pushes/no-uuid`, { key: site.key }),
        request(base, 'GET', `/api/v1/sites/${site.uuid}/pushes/${String(data.push_id)}`, { key: other.key }),
        request(base, 'GET', `/api/v1/sites/${other.uuid}/pushes/${String(data.push_id)}`, { key: other.key }),
        request(base, 'GET', `/api/v1/sites/${randomUUID()}/pushes/${String(data.push_id)}`, { token }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    });
  });

  describe('as a heartbeat', () => {
    const heartbeat = (hash: string) => ({
      site_uuid: site.uuid,
      collected_at: '2026-01-02T03:04:05Z',
      sequence: 9,
      inventory_hash: hash,
    });

    it('is queued when its inventory is known', async () => {
      await box.cacheLink.client.set(`pw:known-inventory:${site.uuid}`, 'sha256:0123456789abcdef');
      const reply = await push(heartbeat('sha256:0123456789abcdef'));
      expect(reply.status).toBe(202);
      expect((await queuedPushes(box)).at(-1)!.meta).toMatchObject({
        kind: 'heartbeat',
        inventory_hash: 'sha256:0123456789abcdef',
      });
    });

    it('is sent back for the full inventory when it is not', async () => {
      const before = (await queuedPushes(box)).length;
      const reply = await push(heartbeat('sha256:another-hash-of-it'));
      expect(reply.status).toBe(409);
      expect(reply.body).toMatchObject({ code: 'inventory_hash_unknown', type: '/docs/errors#inventory_hash_unknown' });
      expect(await queuedPushes(box)).toHaveLength(before);
    });
  });
});
