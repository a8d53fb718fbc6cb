import type { FailureKind } from './failures.js';

/** What a queue holds, by Redis's own count. `length` is the exact backlog: entries are deleted with their acknowledgement. */
export interface QueueDepth {
  /** Entries in the stream: not yet read, in work and waiting for another try. */
  readonly length: number;
  /** Of those, delivered but not settled. */
  readonly pending: number;
  /** Of those, failed or handed back and waiting for their next try. */
  readonly waiting: number;
  /** Age of the oldest entry in ms; 0 when empty. */
  readonly oldestAgeMs: number;
}

/**
 * Why a consumer group had to be made. `first`: this process has never seen it. `group_lost`: the stream was still there; what is in it comes again.
 * `stream_lost`: this process has used the stream, and it was gone with whatever was in it.
 */
export type GroupCause = 'first' | 'group_lost' | 'stream_lost';

/** Metric hooks of the transport; all optional, must not throw, are called off the hot path or once a batch. */
export interface StreamsObserver {
  /** Entries appended and durably answered. */
  published?(queue: string, count: number): void;
  /** A consumer group was made, with its stream when that was missing, too. Told by the process that made it. */
  groupCreated?(queue: string, partition: number, by: 'publisher' | 'consumer', cause: GroupCause): void;
  /** A batch was committed. `seconds`: from read to commit. */
  processed?(queue: string, partition: number, count: number, seconds: number): void;
  /** Messages recorded as dead in a committed transaction. */
  dead?(queue: string, code: string, count: number): void;
  /** A batch or a message failed and will be tried again. */
  failed?(queue: string, kind: FailureKind | 'not_now' | 'unknown_type', count: number): void;
  /** Messages taken over from a consumer that went silent, from a lost reply, or due for another try. */
  claimed?(queue: string, partition: number, count: number): void;
  depth?(queue: string, partition: number, depth: QueueDepth): void;
  /** The breaker of a partition opened (true) or closed (false). */
  breaker?(queue: string, partition: number, open: boolean): void;
  /** A Redis client was given up and replaced by a new one. */
  clientReplaced?(name: string, reason: string): void;
  /** The admission level of a queue changed. */
  admission?(queue: string, level: 'open' | 'soft' | 'hard'): void;
}

/** The calls of pino that the transport makes: fields first, then the sentence. A pino logger fits as it is. */
export interface StreamsLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says nothing. */
export const silentLog: StreamsLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
