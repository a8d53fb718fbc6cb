import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually, testSentinel } from '#libs/testing';
import type { TestSentinel } from '#libs/testing';
import { connectRedis } from '../connect-redis.js';
import { assertDurableStreams, LossyStreamsError } from '../durable-streams.js';
import { DoubtfulPublishError } from '../failures.js';
import { RedisPublisher } from '../redis-publisher.js';
import { inventedBy, lostOf, underLoad } from './load.js';
import type { Load } from './load.js';
import { ownTime } from './own-time.js';
import { QUEUE, Stage, thing } from './stage.js';
import { redisWorld } from './world.js';

describe('Behind sentinels', () => {
  let sentinel: TestSentinel;
  let stage: Stage | undefined;
  let load: Load | undefined;

  // Anew for each: after a failover sentinels take ten seconds and more to bring the old master back into line.
  beforeEach(async () => {
    sentinel = await testSentinel(2);
  }, 40_000);
  afterEach(async () => {
    await load?.stop();
    await stage?.end();
    load = stage = undefined;
    await sentinel.stop();
  });

  it('finds the master, and looks at the replica’s settings before it starts', async () => {
    const connection = connectRedis(sentinel.url, { name: 'spec', role: 'streams' });
    await connection.ready();
    expect(await connection.run((client) => client.role())).toContain('master');
    expect(await assertDurableStreams(connection)).toEqual([]);
    const replica = new Redis(sentinel.servers[1]!.url);
    await replica.config('SET', 'appendonly', 'no');
    await expect(assertDurableStreams(connection)).rejects.toThrow(LossyStreamsError);
    await expect(assertDurableStreams(connection)).rejects.toThrow(/replica 127\.0\.0\.1:\d+: appendonly is no/);
    await replica.config('SET', 'appendonly', 'yes');
    await replica.quit();
    await connection.close();
  });

  it('without a replica that confirms, a publish is doubtful in time, and accepted again when there is one', async () => {
    const connection = connectRedis(sentinel.url, { name: 'spec', role: 'streams' });
    const publisher = new RedisPublisher({ connection, replicas: 1, timeoutMs: 1_000 });
    await publisher.publish(QUEUE, [thing(1)]);
    const master = await sentinel.master();
    const replicas = sentinel.servers.filter((server) => server !== master);
    for (const replica of replicas) replica.pause();
    const took = ownTime();
    await expect(publisher.publish(QUEUE, [thing(2)])).rejects.toThrow(DoubtfulPublishError);
    expect(took()).toBeLessThan(1_500);
    replicas[0]!.resume();
    await eventually(() => publisher.publish(QUEUE, [thing(3)]).then(() => true), {
      what: 'publishing to be confirmed again',
    });
    replicas[1]!.resume();
    await publisher.close();
    await connection.close();
  });

  it('the master stands still under load and goes on after another leads: everything accepted is handled once', async () => {
    stage = new Stage(await redisWorld(sentinel.url, {}, { replicas: 1, timeoutMs: 2_000 }));
    await stage.process();
    load = underLoad(stage, QUEUE);
    const { accepted } = load;
    await eventually(() => accepted.length > 200, { what: 'accepted messages' });
    const old = await sentinel.master();
    old.pause();
    await eventually(async () => (await sentinel.master()).port !== old.port, {
      what: 'another master',
      timeoutMs: 15_000,
    });
    const before = accepted.length;
    await eventually(() => accepted.length > before + 200, {
      what: 'messages that the new master and its replica have',
      timeoutMs: 15_000,
    });
    // It still believes in itself; the sentinels take their time to tell it.
    old.resume();
    const after = accepted.length;
    await eventually(() => accepted.length > after + 200, { what: 'messages while the old one is back' });
    await load.stop();
    await stage.untilEmpty();
    expect(load.wrong).toEqual([]);
    expect(load.doubtful.length).toBeGreaterThan(0);
    expect(lostOf(load, stage)).toEqual([]);
    expect(inventedBy(load, stage)).toEqual([]);
  }, 45_000);
});
