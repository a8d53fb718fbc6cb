import type { Broker } from './broker.js';
import type { ConsumerSettings, ConsumerTime } from './consumer-settings.js';
import type { Delivered } from './envelope.js';
import type { FailureKind } from './failures.js';
import type { MessageContract } from './message-reader.js';
import type { StreamsLog, StreamsObserver } from './observer.js';
import type { Solo } from './solo.js';
import type { BatchHandler, DeadLetterStore, UnitOfWork } from './ports.js';

export interface QueueConsumerOptions<Tx> {
  readonly broker: Broker;
  readonly queue: string;
  /** Number of partitions of the queue; one loop each. Default 1. */
  readonly partitions?: number;
  /** One handler for each type@version that this process understands; a second for the same is refused. */
  readonly handlers: readonly BatchHandler<Tx>[];
  /** The contract of a type and version; undefined: unknown here. */
  readonly schemaFor: (type: string, version: number) => MessageContract | undefined;
  readonly unitOfWork: UnitOfWork<Tx>;
  readonly deadLetters: DeadLetterStore<Tx>;
  readonly classify: (error: unknown) => FailureKind;
  /** Runs `work`, the transaction of a batch, so that logs, outgoing events and traces know what they belong to. */
  readonly around?: <T>(messages: readonly Delivered[], work: () => Promise<T>) => Promise<T>;
  readonly observer?: StreamsObserver;
  readonly log?: StreamsLog;
  readonly settings?: Partial<ConsumerSettings>;
  /** Shared by all consumers of a process. Default: one for the partitions of this queue. */
  readonly solo?: Solo;
  /** Tests pass a fake one. */
  readonly time?: ConsumerTime;
  /** First part of the consumer's name; a random part makes it unique. Default: host name and pid. */
  readonly name?: string;
}

export interface ConsumerHealth {
  readonly ok: boolean;
  readonly detail: string;
}
