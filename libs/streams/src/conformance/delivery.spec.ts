import { gzipSync } from 'node:zlib';
import { expect } from '@jest/globals';
import { onBothBrokers } from './both-brokers.js';
import { QUEUE, thing, things } from './stage.js';
import { FAST } from './world.js';

onBothBrokers('Delivery', (guarantee) => {
  guarantee('what was published before the first consumer ever started is delivered', async (stage) => {
    await stage.publish(things(1, 5));
    await stage.process();
    await stage.untilEmpty();
    expect([...stage.ledger.effects.keys()].sort()).toEqual([1, 2, 3, 4, 5].map((n) => `message-${n}`));
  });

  guarantee('a settled message leaves nothing behind: the length is the backlog', async (stage) => {
    const process = await stage.process();
    await stage.publish(things(1, 200));
    await stage.untilEmpty();
    expect(stage.ledger.effects.size).toBe(200);
    expect(process.deliveries.every(({ delivery }) => delivery === 1)).toBe(true);
  });

  guarantee('a backlog is handled in batches, each one transaction', async (stage) => {
    await stage.publish(things(1, 200));
    await stage.process();
    await stage.untilEmpty();
    expect(Math.max(...stage.ledger.commits.map((ids) => ids.length))).toBe(64);
    expect(stage.ledger.transactions).toBeLessThan(10);
  });

  guarantee('messages of all partitions arrive, each key always in the same one', async (stage) => {
    await stage.process({ queue: 'test.spread', partitions: 4 });
    await stage.publish(things(1, 100), 'test.spread');
    await stage.until('all to be applied', () => stage.ledger.effects.size === 100);
    await stage.until('empty', async () => (await stage.world.length('test.spread')) === 0);
  });

  guarantee('two processes share a queue and no message has two effects', async (stage) => {
    // A lease that a machine with much to do cannot overrun: then a message would rightly come again.
    const settings = { batchSize: 3, leaseMs: 10_000 };
    const one = await stage.process({ settings });
    const other = await stage.process({ settings });
    await stage.publish(things(1, 60));
    await stage.untilEmpty();
    expect([...stage.ledger.effects.values()].every((times) => times === 1)).toBe(true);
    expect(one.deliveries.length + other.deliveries.length).toBe(60);
  });

  guarantee('the body arrives byte for byte, gzip bodies are unpacked, facts survive', async (stage) => {
    const seen: unknown[] = [];
    await stage.process({ behaviour: (message) => seen.push(message) });
    const body = gzipSync(JSON.stringify({ n: 3, text: 'ü\u0000\ud83d\ude80' }));
    const envelope = thing(3, {
      contentEncoding: 'gzip',
      body,
      causationId: 'cause',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      contentHash: 'ab',
      organizationId: null,
    });
    await stage.publish([envelope]);
    await stage.untilEmpty();
    expect(seen).toEqual([{ envelope, data: { n: 3, text: 'ü\u0000\ud83d\ude80' }, delivery: 1, queue: QUEUE }]);
  });

  guarantee('facts in meta are the data, the body stays as it came', async (stage) => {
    const seen: unknown[] = [];
    await stage.process({ behaviour: (message) => seen.push(message.data, message.envelope.body) });
    const body = Buffer.from([0, 255, 10, 13]);
    await stage.publish([thing(1, { meta: { n: 1 }, body })]);
    await stage.untilEmpty();
    expect(seen).toEqual([{ n: 1 }, body]);
  });

  guarantee('a message that is handled alone carries its correlation id', async (stage) => {
    const process = await stage.process();
    await stage.publish([thing(1)]);
    await stage.untilEmpty();
    expect(process.correlations).toEqual(['correlation-1']);
  });

  guarantee('work after the commit runs after the commit, and its failure takes nothing back', async (stage) => {
    const effectsThen: number[] = [];
    await stage.process({
      behaviour: (_message, batch) =>
        batch.afterCommit(() => {
          effectsThen.push(stage.ledger.effects.size);
          throw new Error('cache away');
        }),
    });
    await stage.publish([thing(1)]);
    await stage.untilEmpty();
    expect(effectsThen).toEqual([1]);
    expect(stage.ledger.effects.get('message-1')).toBe(1);
  });

  guarantee('stop lets the transaction under way end, hands back the rest and removes the name', async (stage) => {
    const process = await stage.process({ settings: { batchSize: 5 } });
    let release = (): void => undefined;
    stage.ledger.committed = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    await stage.publish(things(1, 20));
    await stage.until('a commit', () => stage.ledger.commits.length === 1);
    stage.ledger.committed = () => undefined;
    const stopped = process.consumer.stop(1_000);
    release();
    await stage.until('the stop', async () => (await stage.world.consumers(QUEUE)).length === 0);
    await stopped;
    expect(await stage.world.pending(QUEUE)).toEqual([]);
    const applied = stage.ledger.effects.size;
    expect(await stage.world.length(QUEUE)).toBe(20 - applied);
    await stage.process();
    await stage.untilEmpty();
    expect([...stage.ledger.effects.values()]).toEqual(Array(20).fill(1));
  });

  guarantee('consumers that come and go leave no names', async (stage) => {
    for (let i = 0; i < 5; i++) {
      const process = await stage.process();
      await stage.publish(things(i * 10, i * 10 + 4));
      await stage.untilEmpty();
      const stopped = process.consumer.stop(500);
      await stage.until('the name to go', async () => (await stage.world.consumers(QUEUE)).length === 0);
      await stopped;
    }
    const crashed = await stage.process();
    await stage.publish(things(100, 100));
    await stage.untilEmpty();
    await crashed.broker.crash();
    await stage.process();
    await stage.until('the dead name to go', async () => (await stage.world.consumers(QUEUE)).length === 1);
    expect(FAST.forgetMs).toBeLessThan(1_000);
  });
});
