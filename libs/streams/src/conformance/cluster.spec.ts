import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import calculateSlot from 'cluster-key-slot';
import { eventually, testCluster } from '#libs/testing';
import type { TestCluster } from '#libs/testing';
import { connectRedis } from '../connect-redis.js';
import { assertDurableStreams, assertKnownServers } from '../durable-streams.js';
import { streamKey } from '../stream-key.js';
import { inventedBy, lostOf, underLoad } from './load.js';
import type { Load } from './load.js';
import { Stage, things } from './stage.js';
import { PARTITIONS, redisWorld } from './world.js';

const QUEUE = 'test.spread';
const COUNT = PARTITIONS[QUEUE]!;
const keys = Array.from({ length: COUNT }, (_, partition) => streamKey(QUEUE, partition));

describe('On a Redis Cluster of three shards', () => {
  let cluster: TestCluster;
  let stage: Stage | undefined;
  let load: Load | undefined;
  const lost: string[] = [];

  beforeAll(async () => {
    cluster = await testCluster(3, true);
  }, 40_000);
  afterAll(async () => {
    await cluster.stop();
  });
  afterEach(async () => {
    await load?.stop();
    await stage?.end();
    load = stage = undefined;
    lost.length = 0;
  });

  const onStage = async (publishing: { replicas?: number; timeoutMs?: number } = {}): Promise<Stage> => {
    const observer = {
      groupCreated: (queue: string, partition: number, by: string, cause: string) => {
        if (cause !== 'first') lost.push(`${queue}.${partition} by ${by}: ${cause}`);
      },
    };
    stage = new Stage(await redisWorld(cluster.url, observer, publishing));
    return stage;
  };
  const shardOf = async (key: string): Promise<number> => {
    const holds = await Promise.all(
      cluster.masters.map((node) =>
        cluster
          .client(node)
          .exists(key)
          .then(Boolean, () => false),
      ),
    );
    return holds.indexOf(true);
  };

  it('the partitions of a queue spread over the shards, and each message is handled once', async () => {
    const world = await onStage();
    await world.process({ queue: QUEUE, partitions: COUNT });
    await world.publish(things(1, 400), QUEUE);
    await world.untilEmpty(QUEUE);
    expect([...world.ledger.effects.values()]).toEqual(Array(400).fill(1));
    const shards = new Set(await Promise.all(keys.map(shardOf)));
    expect(shards.size).toBeGreaterThan(1);
    expect(shards.has(-1)).toBe(false);
    expect(lost).toEqual([]);
  });

  it('slots move to another shard under load: nothing is lost, refused or handled twice', async () => {
    const world = await onStage();
    await world.process({ queue: QUEUE, partitions: COUNT });
    await world.process({ queue: QUEUE, partitions: COUNT });
    load = underLoad(world, QUEUE);
    const { accepted } = load;
    for (const key of keys) {
      const before = accepted.length;
      await eventually(() => accepted.length > before + 100, { what: 'messages between two moves' });
      const from = await shardOf(key);
      await cluster.moveSlot(calculateSlot(key), cluster.masters[(from + 1) % 3]!);
      expect(await shardOf(key)).toBe((from + 1) % 3);
    }
    const before = accepted.length;
    await eventually(() => accepted.length > before + 100, { what: 'messages after the last move' });
    await load.stop();
    await world.untilEmpty(QUEUE);
    expect(load.wrong).toEqual([]);
    // MOVED and ASK say that nothing was done: nothing need be doubted.
    expect(load.doubtful).toEqual([]);
    expect(lostOf(load, world)).toEqual([]);
    expect(inventedBy(load, world)).toEqual([]);
    expect(lost).toEqual([]);
  }, 30_000);

  it('start looks at every shard and at the replicas that would follow', async () => {
    const connection = connectRedis(cluster.url, { name: 'spec', role: 'streams' });
    await connection.ready();
    expect(await assertKnownServers(connection)).toEqual(Array(3).fill(expect.stringMatching(/^(redis|valkey) \d/)));
    expect(await assertDurableStreams(connection)).toEqual([]);
    const [shard, replica] = [cluster.masters[1]!, cluster.replicas[2]!];
    await cluster.client(shard).config('SET', 'appendfsync', 'everysec');
    await cluster.client(replica).config('SET', 'maxmemory-policy', 'allkeys-lru');
    const faults = await assertDurableStreams(connection, { allowLossy: true });
    expect(faults.sort()).toEqual([
      `127.0.0.1:${shard.port}: appendfsync is everysec, it must be always`,
      `replica 127.0.0.1:${replica.port}: maxmemory-policy is allkeys-lru, it must be noeviction`,
    ]);
    await cluster.client(shard).config('SET', 'appendfsync', 'always');
    await cluster.client(replica).config('SET', 'maxmemory-policy', 'noeviction');
    await connection.close();
  });

  it('a shard dies under load: its replica takes over and has everything that was accepted', async () => {
    const world = await onStage({ replicas: 1, timeoutMs: 2_000 });
    await world.process({ queue: QUEUE, partitions: COUNT });
    load = underLoad(world, QUEUE);
    const { accepted } = load;
    await eventually(() => accepted.length > 200, { what: 'accepted messages' });
    const dying = await shardOf(keys[0]!);
    const dead = cluster.masters[dying]!;
    await dead.kill9();
    await eventually(
      async () => /role:master/.test(await cluster.client(cluster.replicas[dying]!).info('replication')),
      {
        what: 'the replica to take over',
        timeoutMs: 15_000,
      },
    );
    // Its own replica comes back only now: until then nothing new on that shard can be accepted.
    await dead.restart();
    await cluster.settled();
    const settledAt = accepted.length;
    await eventually(() => accepted.length > settledAt + 300, { what: 'messages after the failover' });
    await load.stop();
    await world.untilEmpty(QUEUE);
    expect(load.wrong).toEqual([]);
    expect(load.doubtful.length).toBeGreaterThan(0);
    expect(lostOf(load, world)).toEqual([]);
    expect(inventedBy(load, world)).toEqual([]);
    expect(lost).toEqual([]);
  }, 45_000);
});
