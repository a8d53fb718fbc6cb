import type { Breaker } from './breaker.js';
import type { ConsumerSettings, ConsumerTime } from './consumer-settings.js';
import type { Delivered } from './envelope.js';
import type { FailureKind } from './failures.js';
import type { HeldEntries } from './held-entries.js';
import type { MessageReader } from './message-reader.js';
import type { StreamsLog, StreamsObserver } from './observer.js';
import type { DeadLetterStore, UnitOfWork } from './ports.js';

export interface BatchRunnerOptions<Tx> {
  readonly queue: string;
  readonly partition: number;
  readonly reader: MessageReader<Tx>;
  readonly held: HeldEntries;
  readonly breaker: Breaker;
  readonly unitOfWork: UnitOfWork<Tx>;
  readonly deadLetters: DeadLetterStore<Tx>;
  readonly classify: (error: unknown) => FailureKind;
  readonly around: <T>(messages: readonly Delivered[], work: () => Promise<T>) => Promise<T>;
  readonly settings: ConsumerSettings;
  readonly time: ConsumerTime;
  readonly observer: StreamsObserver;
  readonly log: StreamsLog;
  /** Aborted at stop: what waits for the database is handed back. */
  readonly stopping: AbortSignal;
}
