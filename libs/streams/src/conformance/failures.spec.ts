import { expect } from '@jest/globals';
import { NotNowError, PoisonMessageError } from '../failures.js';
import { onBothBrokers } from './both-brokers.js';
import { LedgerError } from './ledger.js';
import { QUEUE, thing, things } from './stage.js';
import type { Behaviour } from './stage.js';

const failing =
  (n: number, error: () => Error): Behaviour =>
  (message) => {
    if (message.data.n === n) throw error();
  };

onBothBrokers('Failure', (guarantee) => {
  guarantee('an entry that is not one of ours is dead with its raw content, its neighbours commit', async (stage) => {
    await stage.publish(things(1, 3));
    await stage.world.addRaw(QUEUE, ['what', 'ever', 'bytes', Buffer.from([255, 0, 254])]);
    await stage.publish(things(4, 6));
    await stage.process();
    await stage.untilEmpty();
    expect(stage.ledger.effects.size).toBe(6);
    expect(stage.ledger.dead).toEqual([
      expect.objectContaining({
        code: 'malformed_entry',
        envelope: null,
        queue: QUEUE,
        raw: { what: 'ever', bytes: 'base64:/wD+' },
        deliveries: 1,
      }),
    ]);
  });

  guarantee(
    'unreadable entries between good messages are all buried, however many: the queue goes on',
    async (stage) => {
      const process = await stage.process();
      for (let n = 1; n <= 25; n++) {
        await stage.world.addRaw(QUEUE, ['junk', String(n)]);
        await stage.publish([thing(n)]);
        await stage.untilEmpty();
      }
      expect(stage.ledger.dead.length).toBe(25);
      expect(stage.ledger.effects.size).toBe(25);
      expect(process.consumer.health().ok).toBe(true);
    },
  );

  guarantee('a body that is no JSON, no gzip or breaks its contract is dead once, with the reason', async (stage) => {
    await stage.publish([
      thing(1, { body: Buffer.from('{') }),
      thing(2, { contentEncoding: 'gzip' }),
      thing(3, { body: Buffer.from('{"n":"x"}') }),
      thing(4),
    ]);
    await stage.process();
    await stage.untilEmpty();
    expect(stage.ledger.dead.map(({ code, envelope }) => [envelope?.id, code])).toEqual([
      ['message-1', 'invalid_json'],
      ['message-2', 'invalid_gzip'],
      ['message-3', 'invalid_schema'],
    ]);
    expect(stage.ledger.dead[2]!.detail).toBe('n is no number');
    expect([...stage.ledger.effects.keys()]).toEqual(['message-4']);
  });

  guarantee('poison thrown in a batch is found by halving; all others commit', async (stage) => {
    await stage.publish(things(1, 64));
    await stage.process({ behaviour: failing(23, () => new PoisonMessageError('invalid_inventory', 'no modules')) });
    await stage.untilEmpty();
    expect(stage.ledger.dead).toEqual([
      expect.objectContaining({ code: 'invalid_inventory', detail: 'no modules', deliveries: 1 }),
    ]);
    expect(stage.ledger.dead[0]!.envelope!.id).toBe('message-23');
    expect(stage.ledger.effects.size).toBe(63);
    expect(stage.ledger.transactions).toBeLessThan(20);
  });

  guarantee('a message failed by its handler is dead in the transaction of its neighbours', async (stage) => {
    await stage.publish(things(1, 10));
    await stage.process({
      behaviour: (message, batch) => {
        if (message.data.n === 4) batch.fail(message, 'unknown_site', 'there is no site 4');
      },
    });
    await stage.untilEmpty();
    expect(stage.ledger.transactions).toBe(1);
    expect(stage.ledger.effects.size).toBe(9);
    expect(stage.ledger.dead).toEqual([
      expect.objectContaining({ code: 'unknown_site', detail: 'there is no site 4', handler: 'handler' }),
    ]);
  });

  guarantee('a transaction that rolls back takes its dead letters with it', async (stage) => {
    let first = true;
    await stage.publish(things(1, 4));
    await stage.process({
      behaviour: (message, batch, share) => {
        if (message.data.n === 1) batch.fail(message, 'unknown_site', 'gone');
        if (message === share.at(-1) && first) {
          first = false;
          throw new LedgerError('infrastructure', 'connection lost');
        }
      },
    });
    await stage.untilEmpty();
    expect(stage.ledger.dead.length).toBe(1);
    expect(stage.ledger.effects.size).toBe(3);
  });

  guarantee('data that the database rejects is found by halving and dead after a second look', async (stage) => {
    await stage.publish(things(1, 40));
    const process = await stage.process({ behaviour: failing(11, () => new LedgerError('data', 'NUL in text')) });
    await stage.untilEmpty();
    expect(stage.ledger.dead).toEqual([expect.objectContaining({ code: 'data_rejected', deliveries: 1 })]);
    expect(stage.ledger.dead[0]!.detail).toContain('NUL in text');
    expect(stage.ledger.effects.size).toBe(39);
    expect(process.deliveries.filter(({ id, together }) => id === 'message-11' && together === 1).length).toBe(1);
  });

  guarantee(
    'a fault of the handler: neighbours commit at once, the second delivery is alone, the fifth is dead',
    async (stage) => {
      await stage.publish(things(1, 8));
      const process = await stage.process({ behaviour: failing(5, () => new TypeError('x is undefined')) });
      await stage.until('the neighbours', () => stage.ledger.effects.size === 7);
      await stage.untilEmpty();
      const own = process.deliveries.filter(({ id }) => id === 'message-5');
      expect(own.filter(({ delivery }) => delivery > 1).map(({ delivery, together }) => [delivery, together])).toEqual([
        [2, 1],
        [3, 1],
        [4, 1],
      ]);
      expect(stage.ledger.dead).toEqual([expect.objectContaining({ code: 'too_many_deliveries', deliveries: 5 })]);
      expect(stage.ledger.dead[0]!.detail).toContain('TypeError: x is undefined');
      expect(stage.ledger.effects.size).toBe(7);
    },
  );

  guarantee('a fault that goes away costs nothing but the wait', async (stage) => {
    let left = 2;
    await stage.publish([thing(1)]);
    await stage.process({
      behaviour: () => {
        if (left-- > 0) throw new Error('not yet');
      },
    });
    await stage.untilEmpty();
    expect(stage.ledger.dead).toEqual([]);
    expect(stage.ledger.effects.get('message-1')).toBe(1);
  });

  for (const [what, error] of [
    ['the database is away', () => new LedgerError('infrastructure', 'ECONNREFUSED')],
    ['transactions deadlock', () => new LedgerError('conflict', 'deadlock detected')],
    ['a handler says not now', () => new NotNowError('upstream is away')],
  ] as const) {
    guarantee(`while ${what} no delivery is counted, and afterwards all is applied`, async (stage) => {
      let away = true;
      await stage.publish(things(1, 30));
      const process = await stage.process({
        behaviour: () => {
          if (away) throw error();
        },
      });
      await stage.until('several tries', () => stage.ledger.transactions > 8);
      await stage.world.pass(600);
      expect((await stage.world.pending(QUEUE)).every(({ deliveries }) => deliveries <= 1)).toBe(true);
      expect(await stage.world.length(QUEUE)).toBe(30);
      away = false;
      await stage.untilEmpty();
      expect(stage.ledger.effects.size).toBe(30);
      expect(stage.ledger.dead).toEqual([]);
      expect(process.deliveries.every(({ delivery }) => delivery === 1)).toBe(true);
    });
  }

  guarantee('one message that always runs into a time-out does not hold up its neighbours', async (stage) => {
    let fixed = false;
    await stage.publish(things(1, 20));
    await stage.process({
      behaviour: (message) => {
        if (message.data.n === 7 && !fixed)
          throw new LedgerError('infrastructure', 'canceling statement due to timeout');
      },
    });
    await stage.until('the neighbours', () => stage.ledger.effects.size === 19);
    await stage.publish(things(21, 25));
    await stage.until('what came later', () => stage.ledger.effects.size === 24);
    expect(stage.ledger.dead).toEqual([]);
    fixed = true;
    await stage.untilEmpty();
    expect(stage.ledger.effects.get('message-7')).toBe(1);
  });
});
