import { describe, expect, it } from '@jest/globals';
import { InMemoryBroker } from './in-memory-broker.js';
import type { BatchHandler } from './ports.js';
import { QueueConsumer } from './queue-consumer.js';
import type { QueueConsumerOptions } from './consumer-options.js';

class AppliesThings implements BatchHandler<null> {
  readonly handles = [{ type: 'test.thing-happened', version: 1 }];
  async handle(): Promise<void> {}
}
class AlsoAppliesThings extends AppliesThings {}

const options = (change: Partial<QueueConsumerOptions<null>>): QueueConsumerOptions<null> => ({
  broker: new InMemoryBroker(),
  queue: 'test.things',
  handlers: [new AppliesThings()],
  schemaFor: () => ({ check: () => null }),
  unitOfWork: { run: (work) => work(null) },
  deadLetters: { record: async () => undefined },
  classify: () => 'other',
  ...change,
});

describe(QueueConsumer.name, () => {
  it('refuses two handlers of one type and names them', () => {
    const handlers = [new AppliesThings(), new AlsoAppliesThings()];
    expect(() => new QueueConsumer(options({ handlers }))).toThrow(
      'AlsoAppliesThings and AppliesThings both handle test.thing-happened@1 on test.things.',
    );
  });

  it('refuses a handler of a type that has no contract', () => {
    expect(() => new QueueConsumer(options({ schemaFor: () => undefined }))).toThrow('has no contract');
  });

  it.each([{ breakerLimit: 51 }, { deadDelivery: 2 }, { batchSize: 0 }])(
    'refuses settings that would lose a guarantee: %p',
    (settings) => {
      expect(() => new QueueConsumer(options({ settings }))).toThrow(RangeError);
    },
  );

  it('is not healthy before it was started, and refuses to be started twice', async () => {
    const consumer = new QueueConsumer(options({}));
    expect(consumer.health()).toEqual({ ok: false, detail: 'test.things: not started' });
    await consumer.start();
    expect(consumer.health().ok).toBe(true);
    await expect(consumer.start()).rejects.toThrow('runs already');
    await consumer.stop();
  });
});
