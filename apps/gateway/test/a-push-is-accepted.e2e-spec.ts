import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
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

describe('a push', () => {
  let box: Box;
  let token: string;
  let site: TestSite;
  let base: string;
  beforeAll(async () => {
    box = await gatewayInABox();
    base = box.gateway.url;
    token = await logIn(base);
    site = await addSite(base, token);
  });
  afterAll(() => box.close());

  const push = (body: unknown, headers: Record<string, string> = {}) =>
    request(base, 'POST', `/api/v1/sites/${site.uuid}/modules/sync`, { key: site.key, body, headers });

  it('is in the queue, byte for byte, when the site gets its 202', async () => {
    const body = gzipSync(JSON.stringify(inventory(site.uuid, { epoch: 3, sequence: 7 })));
    const reply = await push(body, { 'content-encoding': 'gzip', 'x-request-id': 'my-own-request-id' });
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
});
