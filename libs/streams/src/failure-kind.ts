import {
  AdmissionClosedError,
  DoubtfulPublishError,
  NotNowError,
  PoisonMessageError,
  RedisUnavailableError,
} from './failures.js';
import type { FailureKind } from './failures.js';

/** The transport's own errors first, the injected classification (the database's) for all others. */
export function kindOf(error: unknown, classify: (error: unknown) => FailureKind): FailureKind | 'poison' | 'not_now' {
  if (error instanceof PoisonMessageError) return 'poison';
  if (error instanceof NotNowError) return 'not_now';
  if (
    error instanceof RedisUnavailableError ||
    error instanceof DoubtfulPublishError ||
    error instanceof AdmissionClosedError
  ) {
    return 'infrastructure';
  }
  return classify(error);
}

/** Says nothing about the message: try the same again after a pause. */
export function isTransient(kind: FailureKind | 'poison' | 'not_now'): boolean {
  return kind === 'infrastructure' || kind === 'conflict' || kind === 'not_now';
}
