/** A message that can never be handled: to the dead letters at once, with this reason. Thrown by handlers, mapped by the consumer. */
export class PoisonMessageError extends Error {
  constructor(
    /** Stable code: `invalid_schema`, `unknown_type`, `invalid_inventory`, … */
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = PoisonMessageError.name;
  }
}

/** The world is not ready (database away, upstream away): the message is fine and comes back later; nothing counts against it. */
export class NotNowError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = NotNowError.name;
  }
}

/** The streams' Redis gave no durable answer: the publisher cannot know whether the message was kept. */
export class DoubtfulPublishError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = DoubtfulPublishError.name;
  }
}

/** Admission is closed; come back after `retryAfterSeconds`. Nothing was kept. */
export class AdmissionClosedError extends Error {
  constructor(
    readonly level: 'soft' | 'hard',
    readonly retryAfterSeconds: number,
    message: string,
  ) {
    super(message);
    this.name = AdmissionClosedError.name;
  }
}

/**
 * What a failure says about the message. `infrastructure`: nothing (database or network away, SQLSTATE 08, 53, 55, 57, 58);
 * `conflict`: nothing (deadlock, serialization, 40); `data`: this message or a neighbour cannot be written (21, 22, 23, 42);
 * `other`: unknown, usually a fault in a handler.
 */
export type FailureKind = 'infrastructure' | 'data' | 'conflict' | 'other';

/** Redis did not answer in time or the link is down. A command that was sent may have been carried out. */
export class RedisUnavailableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = RedisUnavailableError.name;
  }
}
