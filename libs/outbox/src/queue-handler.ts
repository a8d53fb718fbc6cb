import 'reflect-metadata';
import type { DiscoveryService } from '@nestjs/core';
import type { EntityManager } from 'typeorm';
import type { QueueDefinition } from '#libs/contracts';
import type { BatchHandler } from '#libs/streams';
import type { FoundHandler } from './queue-plan.js';

const QUEUE = Symbol('patchwatch:queue');

/**
 * Makes an `@Injectable()` class that implements `BatchHandler<EntityManager>` the handler of its `handles` on `queue`. The consumer
 * hands it whole batches inside the batch's transaction. Not Nest's `@EventPattern`: that resolves when a handler throws or none exists.
 */
export function QueueHandler(queue: QueueDefinition) {
  return (target: abstract new (...args: never[]) => BatchHandler<EntityManager>): void => {
    Reflect.defineMetadata(QUEUE, queue, target);
  };
}

/** Every provider of the application that carries the decorator. Call it when all of them exist (`onModuleInit` or later). */
export function findQueueHandlers(discovery: DiscoveryService): FoundHandler[] {
  const found: FoundHandler[] = [];
  for (const { metatype, instance, name } of discovery.getProviders()) {
    const queue: QueueDefinition | undefined =
      typeof metatype === 'function' ? Reflect.getOwnMetadata(QUEUE, metatype) : undefined;
    if (queue === undefined) continue;
    if (!Array.isArray((instance as BatchHandler<EntityManager> | null)?.handles)) {
      throw new Error(
        `${String(name)} carries @QueueHandler but is no singleton with \`handles\`: request scope cannot handle messages.`,
      );
    }
    found.push({ name: String(name), queue, handler: instance });
  }
  return found;
}
