import type { EntityManager } from 'typeorm';
import type { FailPoints } from '#libs/runtime';
import type { BatchHandler, Broker, Publisher, QueueConsumerOptions, StreamLane } from '#libs/streams';

/**
 * The parts of messaging with fail points in them, for tests of disasters; without fail points nobody calls this, and nothing of it runs.
 *
 *   batch.read        a batch was read, nothing of it decoded          about: queue
 *   message           a handler is about to be given this message      about: type, key, meta
 *   batch.handled     handlers are done, nothing is committed          about: queue
 *   batch.committed   committed, nothing is acknowledged               about: queue
 *   relay.published   outbox rows are on their stream, and not deleted about: queue
 */
export function breakableConsumer(
  options: QueueConsumerOptions<EntityManager>,
  points: FailPoints,
): QueueConsumerOptions<EntityManager> {
  const { broker, queue, unitOfWork, handlers } = options;
  return {
    ...options,
    broker: breakableBroker(broker, points),
    handlers: handlers.map((handler) => breakableHandler(handler, points)),
    unitOfWork: {
      run: async (work) => {
        const result = await unitOfWork.run(async (tx) => {
          const handled = await work(tx);
          await points.reach('batch.handled', queue);
          return handled;
        });
        await points.reach('batch.committed', queue);
        return result;
      },
    },
  };
}

/** For the relay only: publishing by itself stays as it is. */
export function breakablePublisher(publisher: Publisher, points: FailPoints): Publisher {
  return {
    publish: async (queue, envelopes) => {
      await publisher.publish(queue, envelopes);
      await points.reach('relay.published', queue);
    },
  };
}

function breakableBroker(broker: Broker, points: FailPoints): Broker {
  return {
    publish: (queue, envelopes) => broker.publish(queue, envelopes),
    open: (queue, partition, consumer) => {
      const lane = broker.open(queue, partition, consumer);
      const read: StreamLane['read'] = async (count, waitMs) => {
        const entries = await lane.read(count, waitMs);
        if (entries.length > 0) await points.reach('batch.read', queue);
        return entries;
      };
      return overridden(lane, { read });
    },
  };
}

function breakableHandler(handler: BatchHandler<EntityManager>, points: FailPoints): BatchHandler<EntityManager> {
  const handle: BatchHandler<EntityManager>['handle'] = async (tx, messages, batch) => {
    for (const { envelope } of messages) {
      await points.reach('message', `${envelope.type} ${envelope.key} ${JSON.stringify(envelope.meta)}`);
    }
    await handler.handle(tx, messages, batch);
  };
  return overridden(handler, { handle });
}

/** The same object, class name and state included, with some methods replaced. */
function overridden<T extends object>(original: T, methods: Partial<T>): T {
  return new Proxy(original, {
    get: (target, name): unknown => {
      if (name in methods) return methods[name as keyof T];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' && name !== 'constructor' ? value.bind(target) : value;
    },
  });
}
