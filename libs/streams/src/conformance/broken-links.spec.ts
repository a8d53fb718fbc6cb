import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, TcpProxy, testRedis } from '#libs/testing';
import type { TestRedis } from '#libs/testing';
import { connectRedis } from '../connect-redis.js';
import type { RedisConnection } from '../redis-connection.js';
import { realTime } from '../consumer-settings.js';
import { DoubtfulPublishError, RedisUnavailableError } from '../failures.js';
import { RedisBroker } from '../redis-broker.js';
import { RedisPublisher } from '../redis-publisher.js';
import { streamKey } from '../stream-key.js';
import { ownTime } from './own-time.js';
import { QUEUE, Stage, thing, things } from './stage.js';
import { redisWorld } from './world.js';

describe('Broken links to Redis', () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let direct: RedisConnection;
  let connection: RedisConnection;
  let replaced: string[];

  beforeAll(async () => {
    redis = await testRedis();
  });
  afterAll(async () => {
    await redis.stop();
  });
  beforeEach(async () => {
    replaced = [];
    proxy = await TcpProxy.before(redis.port);
    direct = connectRedis(redis.url, { name: 'direct', role: 'streams' });
    await direct.ready();
    await direct.client.flushall();
    connection = connectRedis(proxy.url, {
      name: 'through-proxy',
      role: 'streams',
      commandTimeoutMs: 200,
      onReplaced: (reason) => replaced.push(reason),
    });
    await connection.ready();
  });
  afterEach(async () => {
    await connection.close();
    await direct.close();
    await proxy.close();
  });

  it('a command on a half-open link fails in time, and the next one has a new link', async () => {
    proxy.mode = 'blackhole';
    const before = connection.client;
    await expect(connection.run((client) => client.ping())).rejects.toBeInstanceOf(RedisUnavailableError);
    expect(connection.client).not.toBe(before);
    expect(replaced.length).toBe(1);
    proxy.mode = 'pass';
    // A link that was opened into the black hole is given up within its connect time.
    await eventually(() => connection.run((client) => client.ping()), { what: 'a working link' });
  });

  it('a link opened into a black hole is given up, whatever its role, and heals when the hole is gone', async () => {
    proxy.mode = 'blackhole';
    const stuck = (['streams', 'blocking', 'cache'] as const).map((role) => connection.sibling({ name: role, role }));
    const unbounded = connection.sibling({ name: 'publisher', commandTimeoutMs: 0 });
    const links = proxy.links;
    await eventually(() => proxy.links >= links + 8, { what: 'second attempts of all', timeoutMs: 8_000 });
    proxy.mode = 'pass';
    for (const link of [...stuck, unbounded]) {
      await link.ready(5_000);
      expect(await link.run((client) => client.ping())).toBe('PONG');
      await link.close();
    }
  });

  it('a command while the link is down fails at once and is never sent later', async () => {
    proxy.reset();
    const attempt = connection.run((client) => client.set('late', '1'));
    await expect(attempt).rejects.toBeInstanceOf(RedisUnavailableError);
    await connection.ready();
    expect(await connection.run((client) => client.get('late'))).toBeNull();
  });

  it('what Redis itself answers as an error passes through and replaces nothing', async () => {
    await direct.client.set('text', 'x');
    await expect(connection.run((client) => client.xlen('text'))).rejects.toThrow(/WRONGTYPE/);
    expect(replaced).toEqual([]);
  });

  it('a publish whose reply is lost is doubtful within its time, and was added once: nothing is sent again', async () => {
    const publisher = new RedisPublisher({ connection, timeoutMs: 200 });
    await publisher.ready();
    await publisher.publish(QUEUE, [thing(1)]);
    proxy.mode = 'dropReplies';
    const took = ownTime();
    const attempts = [2, 3, 4].map((n) => publisher.publish(QUEUE, [thing(n)]));
    for (const attempt of attempts) await expect(attempt).rejects.toBeInstanceOf(DoubtfulPublishError);
    expect(took()).toBeLessThan(1_500);
    proxy.mode = 'pass';
    await eventually(() => publisher.publish(QUEUE, [thing(5)]).then(() => true), { what: 'publishing to work again' });
    await realTime.sleep(100);
    expect(await direct.client.xlen(streamKey(QUEUE, 0))).toBe(5);
    await publisher.close();
  });

  it('a process that stood still for longer than every time-out still takes the answers that came meanwhile', async () => {
    // Without the proxy: it stands still with us.
    const link = direct.sibling({ commandTimeoutMs: 200, onReplaced: (reason) => replaced.push(reason) });
    await link.ready();
    const publisher = new RedisPublisher({ connection: link, timeoutMs: 200 });
    await publisher.publish(QUEUE, [thing(1)]);
    const asked = [publisher.publish(QUEUE, [thing(2)]), link.run((client) => client.ping())];
    await new Promise((resolve) => setImmediate(resolve));
    const end = performance.now() + 600;
    while (performance.now() < end);
    await expect(Promise.all(asked)).resolves.toHaveLength(2);
    expect(replaced).toEqual([]);
    await publisher.close();
    await link.close();
  });

  it('a publish whose link breaks is doubtful at once', async () => {
    const publisher = new RedisPublisher({ connection });
    await publisher.ready();
    await publisher.publish(QUEUE, [thing(1)]);
    proxy.mode = 'dropReplies';
    const attempt = publisher.publish(QUEUE, [thing(2)]);
    const broken = expect(attempt).rejects.toBeInstanceOf(DoubtfulPublishError);
    setTimeout(() => proxy.reset(), 50);
    await broken;
    await publisher.close();
  });

  for (const mode of ['dropReplies', 'blackhole'] as const) {
    it(`consumers behind links in mode ${mode} find again what got lost; each message has one effect`, async () => {
      const world = await redisWorld(redis.url);
      const publisher = new RedisPublisher({ connection: direct });
      const stage = new Stage({ ...world, broker: new RedisBroker({ connection, publisher }) });
      const process = await stage.process({ settings: { leaseMs: 60_000 } });
      await publisher.publish(QUEUE, things(1, 5));
      await stage.until('the first', () => stage.ledger.effects.size === 5);
      proxy.mode = mode;
      await publisher.publish(QUEUE, things(6, 15));
      await realTime.sleep(2_500);
      proxy.mode = 'pass';
      await publisher.publish(QUEUE, things(16, 20));
      const took = ownTime();
      await stage.untilEmpty();
      expect(took()).toBeLessThan(5_000);
      expect([...stage.ledger.effects.values()]).toEqual(Array(20).fill(1));
      expect(process.deliveries.length).toBe(20);
      expect(process.deliveries.every(({ delivery }) => delivery === 1)).toBe(true);
      await stage.end();
      await publisher.close();
    });
  }

  it('kill -9 of Redis under load: what was acknowledged is applied once, publishing heals by itself', async () => {
    const publisher = new RedisPublisher({ connection: direct });
    await publisher.ready();
    const world = await redisWorld(redis.url);
    const stage = new Stage(world);
    await stage.process();
    const accepted: string[] = [];
    let doubtful = 0;
    let loading = true;
    const load = (async () => {
      for (let n = 0; loading; n++) {
        try {
          await publisher.publish(QUEUE, [thing(n)]);
          accepted.push(`message-${n}`);
        } catch {
          doubtful++;
          await realTime.sleep(10);
        }
      }
    })();
    for (let round = 0; round < 2; round++) {
      const before = accepted.length;
      await eventually(() => accepted.length > before + 50, { what: 'accepted messages' });
      await redis.kill9();
      await redis.restart();
    }
    const before = accepted.length;
    await eventually(() => accepted.length > before + 50, { what: 'publishing after the last restart' });
    loading = false;
    await load;
    await stage.untilEmpty();
    expect(doubtful).toBeGreaterThan(0);
    const missing = accepted.filter((id) => !stage.ledger.effects.has(id));
    expect(missing).toEqual([]);
    expect([...stage.ledger.effects.values()].every((times) => times === 1)).toBe(true);
    expect(stage.ledger.dead).toEqual([]);
    await stage.end();
    await publisher.close();
  });
});
