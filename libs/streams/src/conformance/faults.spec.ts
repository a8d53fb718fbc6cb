import { expect } from '@jest/globals';
import { PARKED, WAITING } from '../stream-key.js';
import { onBothBrokers } from './both-brokers.js';
import type { LaneCall } from './faulty-broker.js';
import { LedgerError } from './ledger.js';
import { QUEUE, thing, things } from './stage.js';
import type { Stage } from './stage.js';

const once = (stage: Stage, n: number): void => {
  expect([...stage.ledger.effects.values()]).toEqual(Array(n).fill(1));
  expect(stage.ledger.dead).toEqual([]);
};

onBothBrokers('Fault', (guarantee) => {
  guarantee('a batch whose reply was lost is found again, and the delivery is not counted', async (stage) => {
    await stage.publish(things(1, 10));
    const process = await stage.process({ start: false });
    let lost = 0;
    process.broker.fate = (call, reply) =>
      call === 'read' && Array.isArray(reply) && reply.length > 0 && lost++ === 0 ? 'lose' : 'pass';
    await process.consumer.start();
    await stage.untilEmpty();
    expect(lost).toBe(1);
    once(stage, 10);
    expect(process.deliveries.every(({ delivery }) => delivery === 1)).toBe(true);
  });

  guarantee('an acknowledgement whose reply was lost is repeated; nothing is delivered twice', async (stage) => {
    const process = await stage.process();
    let lost = 0;
    process.broker.fate = (call, reply) => (call === 'settle' && reply !== undefined && lost++ < 3 ? 'lose' : 'pass');
    await stage.publish(things(1, 10));
    await stage.untilEmpty();
    await stage.world.pass(300);
    once(stage, 10);
    expect(process.deliveries.length).toBe(10);
  });

  guarantee('an acknowledgement that never arrived is repeated; nothing is delivered twice', async (stage) => {
    const process = await stage.process();
    let refused = 0;
    process.broker.fate = (call, reply) =>
      call === 'settle' && reply === undefined && refused++ < 3 ? 'refuse' : 'pass';
    await stage.publish(things(1, 10));
    await stage.untilEmpty();
    once(stage, 10);
    expect(process.deliveries.length).toBe(10);
  });

  for (const call of ['read', 'claimDue', 'recoverLost', 'renew', 'settle'] as LaneCall[]) {
    guarantee(`while every ${call} fails the loop pauses between its tries, then goes on`, async (stage) => {
      const process = await stage.process();
      let calls = 0;
      let failing = true;
      process.broker.fate = (name) => (name === call && failing && ++calls > 0 ? 'refuse' : 'pass');
      await stage.publish(things(1, 5));
      await stage.world.pass(400);
      expect(calls).toBeLessThan(60);
      failing = false;
      await stage.untilEmpty();
      once(stage, 5);
    });
  }

  guarantee('a process that dies after the commit and before the acknowledgement: one effect', async (stage) => {
    const dying = await stage.process();
    stage.ledger.committed = () => dying.broker.crash();
    await stage.publish(things(1, 5));
    await stage.until('the commit', () => stage.ledger.effects.size > 0);
    stage.ledger.committed = () => undefined;
    const heir = await stage.process();
    await stage.untilEmpty();
    once(stage, 5);
    expect(heir.deliveries.some(({ delivery }) => delivery === 2)).toBe(true);
  });

  guarantee(
    'a process that dies before the commit: another takes over after the lease, each message alone',
    async (stage) => {
      const dying = await stage.process();
      let died = false;
      dying.behaviour = (message, _batch, share) => {
        if (message !== share.at(-1)) return;
        died = true;
        void dying.broker.crash();
      };
      await stage.publish(things(1, 5));
      await stage.until('the death', () => died);
      const heir = await stage.process();
      await stage.untilEmpty();
      once(stage, 5);
      expect(heir.deliveries.filter(({ delivery }) => delivery === 2).every(({ together }) => together === 1)).toBe(
        true,
      );
    },
  );

  guarantee('what a dead batch left, message by message, does not wait for new messages between', async (stage) => {
    await stage.publish(things(1, 30));
    let died = false;
    const dying = await stage.process({ start: false });
    dying.behaviour = (message, _batch, share) => {
      if (message !== share.at(-1)) return;
      died = true;
      void dying.broker.crash();
    };
    await dying.consumer.start();
    await stage.until('the death', () => died);
    const heir = await stage.process();
    let reads = 0;
    const readsBefore: number[] = [];
    heir.broker.before = (call) => {
      if (call === 'read') reads++;
    };
    heir.behaviour = (message) => {
      if (message.delivery > 1) readsBefore.push(reads);
    };
    await stage.untilEmpty();
    once(stage, 30);
    const left = readsBefore.length;
    expect(left).toBeGreaterThan(5);
    // One read for each would be one batch of new messages for each.
    expect(readsBefore.at(-1)! - readsBefore[0]!).toBeLessThan(left / 2);
  });

  guarantee(
    'of what the dead left in all partitions, a process has one message at a time in its hands',
    async (stage) => {
      const queue = 'test.spread';
      await stage.publish(things(1, 40), queue);
      const dying = await stage.process({ queue, partitions: 4 });
      dying.behaviour = () => {
        throw new LedgerError('infrastructure', 'away');
      };
      await stage.until('all to be in its hands', () => new Set(dying.deliveries.map(({ id }) => id)).size === 40);
      await dying.broker.crash();
      let inHand = 0;
      let most = 0;
      stage.ledger.committed = async () => {
        most = Math.max(most, ++inHand);
        await stage.world.time.sleep(2);
        inHand--;
      };
      const heir = await stage.process({ queue, partitions: 4 });
      await stage.untilEmpty(queue);
      once(stage, 40);
      expect(heir.deliveries.map(({ delivery, together }) => `${delivery} ${together}`)).toEqual(Array(40).fill('2 1'));
      expect(most).toBe(1);
    },
  );

  guarantee('a process that dies after the read and before the decode: nothing is lost', async (stage) => {
    const dying = await stage.process({ start: false });
    let died = false;
    dying.broker.fate = (call, reply) => {
      if (call === 'read' && Array.isArray(reply) && reply.length > 0) {
        died = true;
        void dying.broker.crash();
        return 'lose';
      }
      return 'pass';
    };
    await dying.consumer.start();
    await stage.publish(things(1, 5));
    await stage.until('the death', () => died);
    await stage.process();
    await stage.untilEmpty();
    once(stage, 5);
  });

  guarantee(
    'a message that kills every process that touches it is dead after five; its neighbours are applied',
    async (stage) => {
      await stage.publish(things(1, 3));
      for (let deaths = 0; deaths < 4; deaths++) {
        let died = false;
        const dying = await stage.process();
        dying.behaviour = (message) => {
          if (message.data.n !== 2 || died) return;
          died = true;
          void dying.broker.crash();
        };
        await stage.until(`death ${deaths + 1}`, () => died);
      }
      await stage.process();
      await stage.untilEmpty();
      expect([...stage.ledger.effects]).toEqual(
        expect.arrayContaining([
          ['message-1', 1],
          ['message-3', 1],
        ]),
      );
      expect(stage.ledger.effects.size).toBe(2);
      expect(stage.ledger.dead).toEqual([expect.objectContaining({ code: 'too_many_deliveries', deliveries: 5 })]);
    },
  );

  guarantee(
    'a message applied by processes that all died before the acknowledgement is not buried as well',
    async (stage) => {
      await stage.publish([thing(1)]);
      for (let deaths = 1; deaths <= 4; deaths++) {
        const dying = await stage.process();
        stage.ledger.committed = () => dying.broker.crash();
        await stage.until(`death ${deaths}`, () => stage.ledger.commits.length === deaths);
      }
      stage.ledger.committed = () => undefined;
      const last = await stage.process();
      await stage.untilEmpty();
      expect(last.deliveries).toEqual([]);
      once(stage, 1);
    },
  );

  guarantee('a suspect is handled alone, even when first deliveries are claimed together with it', async (stage) => {
    let away = false;
    const first = await stage.process({
      settings: { retryMs: 60_000, maxDelayMs: 60_000 },
      behaviour: (message) => {
        if (message.data.n === 1) throw new TypeError('flaky');
        if (away) throw new LedgerError('infrastructure', 'away');
      },
    });
    await stage.publish([thing(1)]);
    await stage.until('the suspect to wait', async () =>
      (await stage.world.pending(QUEUE)).some(({ owner }) => owner === WAITING),
    );
    away = true;
    await stage.publish(things(2, 5));
    await stage.until('the others to be in work', () => first.deliveries.some(({ id }) => id === 'message-5'));
    const stopped = first.consumer.stop(1_000);
    await stage.until('all to be handed back', async () =>
      (await stage.world.pending(QUEUE)).every(({ owner }) => owner === WAITING),
    );
    await stopped;
    const second = await stage.process();
    await stage.untilEmpty();
    const together = Object.fromEntries(second.deliveries.map((each) => [each.id, each.together]));
    expect(together).toEqual({ 'message-1': 1, 'message-2': 4, 'message-3': 4, 'message-4': 4, 'message-5': 4 });
    once(stage, 5);
  });

  guarantee('a long batch keeps its lease: nobody takes it over', async (stage) => {
    let waiting = true;
    stage.ledger.committed = async () => {
      while (waiting) await stage.world.time.sleep(10);
    };
    const settings = { leaseMs: 900 };
    const slow = await stage.process({ settings });
    const eager = await stage.process({ settings });
    await stage.publish([thing(1)]);
    await stage.until('the commit', () => stage.ledger.commits.length === 1);
    await stage.world.pass(2_000);
    waiting = false;
    await stage.untilEmpty();
    expect(slow.deliveries.length + eager.deliveries.length).toBe(1);
    once(stage, 1);
  });

  guarantee('a process that stood still for longer than its lease changes nothing when it goes on', async (stage) => {
    let still = true;
    const paused = await stage.process();
    paused.broker.before = async () => {
      while (still && paused.deliveries.length > 0) await stage.world.time.sleep(10);
    };
    stage.ledger.committed = async () => {
      while (still && stage.ledger.commits.length === 1) await stage.world.time.sleep(10);
    };
    await stage.publish([thing(1)]);
    await stage.until('the first commit', () => stage.ledger.commits.length === 1);
    await stage.process();
    await stage.until('the take-over', () => stage.ledger.commits.length === 2);
    still = false;
    await stage.untilEmpty();
    once(stage, 1);
  });

  guarantee(
    'the group is destroyed while messages are in work: they come again and have one effect',
    async (stage, lost) => {
      let broken = false;
      await stage.process();
      stage.ledger.committed = async () => {
        if (broken) return;
        broken = true;
        await stage.world.destroyGroup(QUEUE);
      };
      await stage.publish(things(1, 5));
      await stage.until('the damage', () => broken);
      await stage.publish(things(6, 10));
      await stage.untilEmpty();
      once(stage, 10);
      expect(lost.groups).not.toBe(1);
      expect(lost.streams).toBe(0);
    },
  );

  guarantee(
    'the stream is deleted while a reader blocks: the next messages arrive, and the loss is told once',
    async (stage, lost) => {
      await stage.process();
      await stage.publish(things(1, 3));
      await stage.untilEmpty();
      expect(lost.streams).toBe(0);
      await stage.world.deleteStream(QUEUE);
      await stage.world.pass(100);
      await stage.publish(things(4, 6));
      await stage.untilEmpty();
      once(stage, 6);
      // In memory nobody observes: there is no group to lose.
      expect(lost.streams).toBe(lost.groups === 0 ? 0 : 1);
    },
  );

  guarantee('an old process leaves a newer version of a message alone until a new process takes it', async (stage) => {
    const old = await stage.process();
    await stage.publish([thing(1), thing(2, { version: 2 }), thing(3)]);
    await stage.until('the known ones', () => stage.ledger.effects.size === 2);
    await stage.until('the new one to be parked', async () =>
      (await stage.world.pending(QUEUE)).some(({ owner }) => owner === PARKED),
    );
    await stage.world.pass(400);
    expect(stage.ledger.dead).toEqual([]);
    const types = [1, 2].map((version) => ({ type: 'test.thing-happened', version }));
    await stage.process({ types });
    await stage.untilEmpty();
    once(stage, 3);
    expect(old.deliveries.map(({ id }) => id)).toEqual(['message-1', 'message-3']);
  });

  guarantee('a type that nobody ever knew is dead in the end', async (stage) => {
    await stage.process({ settings: { unknownTypeMs: 300 } });
    await stage.publish([thing(1, { type: 'test.nobody-knows' })]);
    await stage.untilEmpty();
    expect(stage.ledger.dead).toEqual([expect.objectContaining({ code: 'unknown_type' })]);
  });

  guarantee(
    'a deploy that throws for everything: the breaker stops early, nothing dies, the fix applies all',
    async (stage) => {
      const states: boolean[] = [];
      const bad = await stage.process({
        behaviour: () => {
          throw new TypeError('bad deploy');
        },
        observer: { breaker: (_queue, _partition, open) => states.push(open) },
      });
      await stage.publish(things(1, 300));
      await stage.until('the breaker', () => states.length === 1);
      await stage.world.pass(600);
      expect(bad.consumer.health().ok).toBe(false);
      expect(stage.ledger.dead).toEqual([]);
      expect(await stage.world.length(QUEUE)).toBe(300);
      expect((await stage.world.pending(QUEUE)).filter(({ deliveries }) => deliveries > 0).length).toBeLessThan(50);
      bad.behaviour = () => undefined;
      await stage.untilEmpty();
      expect(states).toEqual([true, false]);
      expect(bad.consumer.health().ok).toBe(true);
      once(stage, 300);
    },
  );

  guarantee('everything poison: at most as many die as the breaker allows', async (stage) => {
    const process = await stage.process();
    await stage.publish(Array.from({ length: 100 }, (_, n) => thing(n, { body: Buffer.from('{"n":null}') })));
    await stage.until('the breaker', () => !process.consumer.health().ok);
    await stage.world.pass(500);
    expect(stage.ledger.dead.length).toBeLessThan(10);
    expect((await stage.world.length(QUEUE)) + stage.ledger.dead.length).toBe(100);
  });
});
