import type { EntityManager } from 'typeorm';
import { eventsOn, problemsOf, QUEUES, type EventDefinition, type QueueDefinition } from '#libs/contracts';
import type { BatchHandler, MessageContract } from '#libs/streams';

/** A handler as found among the providers. */
export interface FoundHandler {
  /** Class name, for messages. */
  readonly name: string;
  readonly queue: QueueDefinition;
  readonly handler: BatchHandler<EntityManager>;
}

/** What one consumer needs to know of its queue. */
export interface QueuePlan {
  readonly queue: QueueDefinition;
  readonly handlers: readonly BatchHandler<EntityManager>[];
  readonly schemaFor: (type: string, version: number) => MessageContract | undefined;
}

/** The wiring does not fit the catalogue: some message would have nobody, or two. Lists every problem at once. */
export class HandlerWiringError extends Error {
  constructor(
    service: string,
    readonly problems: readonly string[],
  ) {
    super(
      `${service} cannot start: its message handlers do not fit the catalogue.\n${problems.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.name = HandlerWiringError.name;
  }
}

const keyOf = ({ type, version }: { type: string; version: number }): string => `${type}@${version}`;

/**
 * One plan for each queue of `service`, complete: every event that the queue may carry has exactly one handler.
 * @throws HandlerWiringError that says what to add or to remove.
 */
export function planQueues(
  service: string,
  found: readonly FoundHandler[],
  queues: Readonly<Record<string, QueueDefinition>> = QUEUES,
  eventsOf: (queue: QueueDefinition) => readonly EventDefinition[] = eventsOn,
): QueuePlan[] {
  const own = Object.entries(queues).filter(([, queue]) => queue.subscriber === service);
  const problems = found
    .filter(({ queue }) => !own.some(([, mine]) => mine.name === queue.name))
    .map(
      ({ name, queue }) =>
        `${name} handles ${queue.name}, which belongs to ${queue.subscriber}: a service reads its own queues only.`,
    );
  const plans = own.map(([constant, queue]) => {
    const events = eventsOf(queue);
    const handlers = found.filter((candidate) => candidate.queue.name === queue.name);
    for (const event of events) {
      const takers = handlers.filter(({ handler }) =>
        handler.handles.some((handled) => keyOf(handled) === keyOf(event)),
      );
      if (takers.length === 0) problems.push(missing(constant, queue, event));
      if (takers.length > 1) {
        problems.push(
          `${keyOf(event)} on ${queue.name} has ${takers.length} handlers, ${takers.map(({ name }) => name).join(' and ')}: keep one.`,
        );
      }
    }
    for (const { name, handler } of handlers) {
      for (const handled of handler.handles) {
        if (events.some((event) => keyOf(event) === keyOf(handled))) continue;
        problems.push(
          `${name} handles ${keyOf(handled)}, which the catalogue does not put on ${queue.name}: add the queue to the event, or drop it from \`handles\`.`,
        );
      }
    }
    return { queue, handlers: handlers.map(({ handler }) => handler), schemaFor: contractsOf(events) };
  });
  if (problems.length > 0) throw new HandlerWiringError(service, problems);
  return plans;
}

function missing(constant: string, queue: QueueDefinition, event: EventDefinition): string {
  return (
    `${keyOf(event)} on ${queue.name} has no handler: add @QueueHandler(QUEUES.${constant}) to an @Injectable() class whose \`handles\` lists ` +
    `{ type: '${event.type}', version: ${event.version} }, and put the class into the providers of a module.`
  );
}

/** The checks of a queue's events, by type and version. */
function contractsOf(events: readonly EventDefinition[]): QueuePlan['schemaFor'] {
  const contracts = new Map(
    events.map((event): [string, MessageContract] => {
      const check = problemsOf(event.schema);
      const problemOf = (data: unknown): string | null => check(data).join('; ') || null;
      return [keyOf(event), { check: problemOf, source: event.factsIn ?? 'body' }];
    }),
  );
  return (type, version) => contracts.get(keyOf({ type, version }));
}
