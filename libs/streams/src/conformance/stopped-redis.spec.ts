import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, TcpProxy, testRedis } from '#libs/testing';
import type { TestRedis } from '#libs/testing';
import { connectRedis } from '../connect-redis.js';
import type { RedisConnection } from '../redis-connection.js';
import { AdmissionClosedError, DoubtfulPublishError } from '../failures.js';
import type { GroupCause, StreamsLog } from '../observer.js';
import { RedisBroker } from '../redis-broker.js';
import { RedisPublisher } from '../redis-publisher.js';
import { inventedBy, lostOf, underLoad } from './load.js';
import type { Load } from './load.js';
import { ownTime } from './own-time.js';
import { QUEUE, Stage, thing, things } from './stage.js';
import type { Process } from './stage.js';
import { redisWorld } from './world.js';

/** As the product's own: a probe must turn red within five seconds. */
const SOON_MS = 5_000;

describe('A Redis that is there and does not do its work', () => {
  let redis: TestRedis;
  let connection: RedisConnection;
  let publisher: RedisPublisher;
  let stage: Stage;
  let load: Load | undefined;
  let proxy: TcpProxy;
  const causes: GroupCause[] = [];
  const logged: { fields: object; message: string }[] = [];
  const log: StreamsLog = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields, message) => void logged.push({ fields, message }),
  };

  beforeAll(async () => {
    redis = await testRedis({ args: ['--enable-protected-configs', 'yes'] });
    proxy = await TcpProxy.before(redis.port);
  });
  afterAll(async () => {
    await proxy.close();
    await redis.stop();
  });
  beforeEach(async () => {
    const world = await redisWorld(redis.url);
    connection = connectRedis(proxy.url, { name: 'spec', role: 'streams', log });
    const observer = {
      groupCreated: (_queue: string, _partition: number, _by: string, cause: GroupCause) => void causes.push(cause),
    };
    publisher = new RedisPublisher({ connection, observer, log });
    await publisher.ready();
    stage = new Stage({ ...world, broker: new RedisBroker({ connection, publisher, observer, log }) });
    causes.length = logged.length = 0;
  });
  afterEach(async () => {
    redis.resume();
    proxy.mode = 'pass';
    await load?.stop();
    load = undefined;
    await publisher.close();
    await stage.end();
    await connection.close();
  });

  const consuming = async (): Promise<Process> => {
    const process = await stage.process();
    await publisher.publish(QUEUE, things(1, 5));
    await stage.until('the first', () => stage.ledger.effects.size === 5);
    expect(process.consumer.health().ok).toBe(true);
    expect((await publisher.health()).ok).toBe(true);
    return process;
  };
  const settledOnce = (n: number): void => {
    expect([...stage.ledger.effects.values()]).toEqual(Array(n).fill(1));
    expect(stage.ledger.dead).toEqual([]);
  };

  it('stands still (SIGSTOP): publishing is doubtful in time, health is red until it goes on, and then all heals', async () => {
    const process = await consuming();
    redis.pause();
    const took = ownTime();
    await expect(publisher.publish(QUEUE, [thing(6)])).rejects.toBeInstanceOf(DoubtfulPublishError);
    expect(took()).toBeLessThan(3_000);
    await eventually(() => !process.consumer.health().ok, { what: 'the consumer’s health to turn red' });
    expect(took()).toBeLessThan(SOON_MS);
    expect((await publisher.health()).ok).toBe(false);
    redis.resume();
    await eventually(() => publisher.publish(QUEUE, [thing(7)]).then(() => true), { what: 'publishing to work again' });
    await eventually(() => process.consumer.health().ok, { what: 'green health' });
    await stage.untilEmpty();
    // The doubtful one may have been read from the link when Redis went on: kept or not, it has one effect at most.
    const again = stage.ledger.effects.has('message-6');
    settledOnce(again ? 7 : 6);
  });

  for (const mode of ['blackhole', 'dropReplies'] as const) {
    it(`links in mode ${mode}, with nothing to publish: noticed within five seconds, red until they are whole again`, async () => {
      const process = await consuming();
      proxy.mode = mode;
      const took = ownTime();
      await Promise.all([
        eventually(() => !process.consumer.health().ok, { what: 'the consumer’s health to turn red' }),
        eventually(async () => !(await publisher.health()).ok, { what: 'the publisher’s health to turn red' }),
      ]);
      expect(took()).toBeLessThan(SOON_MS);
      proxy.mode = 'pass';
      await eventually(async () => (await publisher.health()).ok && process.consumer.health().ok, {
        what: 'green health',
      });
      await publisher.publish(QUEUE, [thing(6)]);
      await stage.untilEmpty();
      settledOnce(6);
    });
  }

  it('cannot write its snapshots (MISCONF): nothing is kept and the publisher says so, until it can', async () => {
    await consuming();
    const admin = (...command: string[]) => connection.run((client) => client.call(command[0]!, ...command.slice(1)));
    const [, folder] = (await admin('CONFIG', 'GET', 'dir')) as [string, string];
    const failed = async (): Promise<boolean> =>
      /rdb_last_bgsave_status:err/.test(await connection.run((client) => client.info('persistence')));
    await admin('CONFIG', 'SET', 'save', '3600 1', 'dir', '/proc');
    await admin('BGSAVE');
    await eventually(failed, { what: 'the snapshot to fail' });
    const refused = await publisher.publish(QUEUE, [thing(6)]).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(AdmissionClosedError);
    expect(refused).toMatchObject({ level: 'hard', message: expect.stringContaining('MISCONF') });
    await admin('CONFIG', 'SET', 'dir', folder);
    await admin('BGSAVE');
    await eventually(async () => !(await failed()), { what: 'a snapshot that succeeds' });
    await publisher.publish(QUEUE, [thing(7)]);
    await stage.untilEmpty();
    settledOnce(6);
    expect(stage.ledger.effects.has('message-6')).toBe(false);
    await admin('CONFIG', 'SET', 'save', '');
  });

  it('comes back empty: groups are made anew, what was lost is named, and the next messages arrive', async () => {
    // What nobody takes stays in the queue, and is what gets lost.
    const process = await stage.process({
      types: [{ type: 'test.another', version: 1 }],
      observer: { depth: () => undefined },
    });
    await publisher.publish(QUEUE, things(1, 40));
    await stage.until('the messages to be parked', async () => (await stage.world.pending(QUEUE)).length === 40);
    await stage.world.pass(200);
    expect(causes).toEqual(['first']);
    await connection.run((client) => client.flushall());
    await redis.kill9();
    await redis.restart();
    await eventually(() => causes.length > 1, { what: 'the group to be made anew' });
    expect(causes).toEqual(['first', 'stream_lost']);
    const told = logged.find(({ message }) => message.startsWith('a queue lost its group or its stream'));
    expect(told?.fields).toMatchObject({ queue: QUEUE, partition: 0, messages: 40 });
    await process.consumer.stop();
    await stage.process();
    await eventually(() => publisher.publish(QUEUE, things(41, 45)).then(() => true), { what: 'publishing' });
    await stage.untilEmpty();
    settledOnce(5);
  });

  it('is killed under load and comes back: groups are not taken for lost', async () => {
    await consuming();
    load = underLoad(stage, QUEUE);
    const { accepted } = load;
    await eventually(() => accepted.length > 50, { what: 'accepted messages' });
    await redis.kill9();
    await redis.restart();
    const before = accepted.length;
    await eventually(() => accepted.length > before + 50, { what: 'messages after the restart' });
    await load.stop();
    await stage.untilEmpty();
    expect(lostOf(load, stage)).toEqual([]);
    expect(inventedBy(load, stage).filter((id) => Number(id.slice('message-'.length)) > 5)).toEqual([]);
    expect(causes).toEqual(['first']);
  });
});
