import type { Delivered, Envelope } from './envelope.js';

/** Publishes to one queue. Resolves only after the broker's durable answer. */
export interface Publisher {
  /**
   * Appends `envelopes` in order. Creates stream and group when they are gone.
   * @throws DoubtfulPublishError when no durable answer came in time; AdmissionClosedError when the queue is closed.
   */
  publish(queue: string, envelopes: readonly Envelope[]): Promise<void>;
}

/**
 * Handles the messages of one batch inside one transaction of the service (`Tx`). Throwing rolls the whole batch back: the
 * consumer then retries, bisects or dead-letters, by the failure's kind. `fail` takes one message out of the batch with a
 * reason while its neighbours commit.
 */
export interface BatchHandler<Tx, T = unknown> {
  /** `type@version` of what it handles. */
  readonly handles: readonly { readonly type: string; readonly version: number }[];
  handle(tx: Tx, messages: readonly Delivered<T>[], batch: BatchContext): Promise<void>;
  /**
   * Whether `message` had its effect already. Asked before a message is buried for too many deliveries: it may have been
   * committed by a process that died before the acknowledgement, and must not be both applied and dead. Without it the
   * answer is no.
   */
  wasApplied?(tx: Tx, message: Delivered<T>): Promise<boolean>;
}

export interface BatchContext {
  /** Dead-letters one message in this batch's transaction. */
  fail(message: Delivered, code: string, detail: string): void;
  /** Runs after the commit, before the acknowledgement; failures are logged only (caches, nudges). */
  afterCommit(work: () => Promise<void> | void): void;
}

/** Runs `work` in one transaction and commits it. Transient conflicts are retried in a fresh transaction. */
export interface UnitOfWork<Tx> {
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

export interface DeadLetter {
  readonly envelope: Envelope | null;
  readonly queue: string;
  /** The raw entry when the envelope itself could not be read. */
  readonly raw: Record<string, string> | null;
  readonly code: string;
  readonly detail: string;
  readonly handler: string | null;
  readonly deliveries: number;
}

/**
 * Keeps what could not be handled, in the batch's own transaction. Recording the same message again changes nothing: a
 * process may die between the commit and the acknowledgement.
 */
export interface DeadLetterStore<Tx> {
  record(tx: Tx, letters: readonly DeadLetter[]): Promise<void>;
}
