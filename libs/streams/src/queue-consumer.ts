import type { Broker } from './broker.js';
import type { FailureKind } from './failures.js';
import type { StreamsLog, StreamsObserver } from './observer.js';
import type { BatchHandler, DeadLetterStore, UnitOfWork } from './ports.js';

/** Checks one decoded body (or `meta`); null: it fits, else what is wrong, for people. */
export type SchemaCheck = (data: unknown) => string | null;

export interface MessageContract {
  readonly check: SchemaCheck;
  /**
   * `body`: the JSON body is decoded and is the data; `meta`: the data is the envelope's `meta`, the body stays bytes.
   * Default: `meta` when the envelope carries any.
   */
  readonly source?: 'body' | 'meta';
}

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
  /** Runs `work` with a correlation id for logs and outgoing events; default: just runs it. */
  readonly withCorrelation?: <T>(correlationId: string, work: () => Promise<T>) => Promise<T>;
  readonly observer?: StreamsObserver;
  readonly log?: StreamsLog;
  readonly settings?: Partial<ConsumerSettings>;
  /** Time for waits and ages; tests pass a fake one. */
  readonly time?: ConsumerTime;
  /** First part of the consumer's name; a random part makes it unique. Default: host name and pid. */
  readonly name?: string;
}

export interface ConsumerSettings {
  readonly batchSize: number;
}

export interface ConsumerTime {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface ConsumerHealth {
  readonly ok: boolean;
  readonly detail: string;
}

export class QueueConsumer<Tx> {
  constructor(private readonly options: QueueConsumerOptions<Tx>) {}

  /** Starts one loop a partition and returns at once; Redis or the database may still be away. */
  async start(): Promise<void> {}

  /** Stops reading, finishes or hands back what it holds, forgets its name. Resolves within `withinMs` (default 10,000). */
  async stop(_withinMs?: number): Promise<void> {}

  /** Red when a breaker is open, or a loop had no answer from Redis or no commit for long. */
  health(): ConsumerHealth {
    return { ok: true, detail: this.options.queue };
  }
}
