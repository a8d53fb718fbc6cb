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
}

describe('the push path', () => {
  let box: Box;
  let token: string;
  let base: string;
  beforeAll(async () => {
    // Windows so long that no limit gives anything back while a test runs.
    box = await gatewayInABox({ PATCHWATCH_PUSH_RATE: '10/600', PATCHWATCH_WRONG_KEY_RATE: '8/600' });
    base = box.gateway.url;
    token = await logIn(base);
  });
  afterAll(() => box.close());

  const push = (site: TestSite, url = base) =>
    request<Problem>(url, 'POST', `/api/v1/sites/${site.uuid}/modules/sync`, {
      key: site.key,
      body: inventory(site.uuid),
    });

  it('limits a key over all replicas together, and says when to come back', async () => {
    const replica = await box.replica();
    const site = await addSite(base, token);
    const statuses: number[] = [];
    for (let i = 0; i < 10; i++) {
      statuses.push((await push(site, i % 2 === 0 ? base : replica.url)).status);
      // Each replica has told the others what it let through.
      await eventually(
        async () => Number(await box.cacheLink.client.exists(`pw:rate:push:${site.key.slice(8, 16)}`)) === 1,
        {
          what: 'the shared state of the limit',
        },
      );
    }
    expect(statuses).toEqual(Array(10).fill(202));
    let slipped = 0;
    const refused = await eventually(
      async () => {
        const replies = [await push(site), await push(site, replica.url)];
        slipped += replies.filter(({ status }) => status === 202).length;
        return replies.every(({ status }) => status === 429) ? replies[0] : null;
      },
      { what: 'both replicas to refuse', everyMs: 60 },
    );
    // Without a shared limit it would be ten.
    expect(slipped).toBeLessThanOrEqual(5);
    expect(refused.body.code).toBe('rate_limited');
    // One push every minute. Replicas learn of each other when they tell what they let through, so a few slip through before both refuse.
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(600);
    expect(refused.headers.get('ratelimit-policy')).toBe('"push";q=10;w=600');
    expect(refused.headers.get('ratelimit')).toMatch(/^"push";r=0;t=\d+$/);
    // Another key is another matter.
    expect((await push(await addSite(base, token))).status).toBe(202);
  });

  it('goes on with its own limit, and takes heartbeats on trust, while the cache’s Redis is away', async () => {
    const site = await addSite(base, token);
    await box.cache.kill9();
    const replies = [];
    for (let i = 0; i < 12; i++) replies.push((await push(site)).status);
    expect(replies).toEqual([...Array<number>(10).fill(202), 429, 429]);
    const other = await addSite(base, token).catch(() => null);
    expect(other).not.toBeNull();
    const heart = await request(base, 'POST', `/api/v1/sites/${other!.uuid}/modules/sync`, {
      key: other!.key,
      body: {
        site_uuid: other!.uuid,
        collected_at: '2026-01-02T03:04:05Z',
        sequence: 1,
        inventory_hash: 'never-heard-of-it',
      },
    });
    expect(heart.status).toBe(202);
    await box.cache.restart();
  });

  it('says 503 and when to repeat while the streams’ Redis is away, and is ready again by itself', async () => {
    const site = await addSite(base, token);
    const before = (await queuedPushes(box)).length;
    await box.redis.kill9();
    const reply = await push(site);
    expect([reply.status, reply.body.code]).toEqual([503, 'push_not_durable']);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(2);
    await eventually(async () => (await request(base, 'GET', '/readyz')).status === 503, { what: 'readyz to say no' });
    expect((await request(base, 'GET', '/healthz')).status).toBe(200);

    await box.redis.restart();
    await eventually(async () => (await request(base, 'GET', '/readyz')).status === 200, { what: 'readyz to say yes' });
    expect((await push(site)).status).toBe(202);
    await eventually(async () => (await queuedPushes(box)).length === before + 1, { what: 'the push in the queue' });
  });

  it('goes on for sites it knows while Postgres is away; others hear when to come back', async () => {
    const known = await addSite(base, token);
    const unseen = await addSite(base, token);
    expect((await push(known)).status).toBe(202);
    box.databaseLink.cut();
    // A reconnect to the cache makes every key doubtful: the database would have to be asked.
    await box.cache.restart();
    await box.cacheLink.ready();
    await eventually(async () => (await request(base, 'GET', '/readyz')).status === 503, { what: 'readyz to say no' });
    for (let i = 0; i < 5; i++) expect((await push(known)).status).toBe(202);
    const stranger = await push(unseen);
    expect([stranger.status, stranger.body.code]).toEqual([503, 'unavailable']);
    expect(Number(stranger.headers.get('retry-after'))).toBeGreaterThan(0);
    const person = await request<Problem>(base, 'GET', '/api/v1/auth/me', { token });
    expect([person.status, person.body.code]).toEqual([503, 'unavailable']);

    box.databaseLink.mend();
    await eventually(async () => (await push(unseen)).status === 202, {
      what: 'the unseen site to get in',
      everyMs: 100,
    });
    await eventually(async () => (await request(base, 'GET', '/readyz')).status === 200, { what: 'readyz to say yes' });
  });

  it('makes the queue anew when somebody deleted it, and loses no push by that', async () => {
    const site = await addSite(base, token);
    await box.streams.client.flushall();
    expect((await push(site)).status).toBe(202);
    expect(await queuedPushes(box)).toHaveLength(1);
  });

  it('holds back an address that shows many invented keys, but no key that was right before', async () => {
    const known = await addSite(base, token);
    expect((await push(known)).status).toBe(202);
    const unseen = await addSite(base, token);
    const wrong = (key: string) =>
      request<Problem>(base, 'POST', `/api/v1/sites/${known.uuid}/modules/sync`, { key, body: '{}' }).then(
        ({ status }) => status,
      );
    const mistyped = [];
    for (let i = 0; i < 20; i++) mistyped.push(await wrong('pw_site_mistyped'));
    expect(mistyped).toEqual(Array(20).fill(401));
    const invented = [];
    for (let i = 0; i < 10; i++) invented.push(await wrong(newKey('site').text));
    expect(invented).toEqual([...Array<number>(8).fill(401), 429, 429]);
    expect((await push(known)).status).toBe(202);
    // The price: a key that was never seen has to wait for the others' sins.
    expect((await push(unseen)).status).toBe(429);
  });
});
