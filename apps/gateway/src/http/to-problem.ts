import { HttpException } from '@nestjs/common';
import { classifySqlError } from '#libs/database';
import { AdmissionClosedError, DoubtfulPublishError, RedisUnavailableError } from '#libs/streams';
import { ProblemError } from './problem.js';
import type { ProblemCode } from './problem-codes.js';

const BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'bad_request',
  401: 'missing_credentials',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'bad_request',
  413: 'payload_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  503: 'unavailable',
};

const DETAILS: Partial<Record<ProblemCode, string>> = {
  bad_request: 'The request is not well-formed HTTP or not what this address takes.',
  not_found: 'Nothing is at this address, or it is not yours to see.',
  payload_too_large: 'The body is larger than this address takes.',
  unsupported_media_type: 'Send the body as application/json.',
  missing_credentials: 'Send an access token: Authorization: Bearer …',
  forbidden: 'You can see this, but you may not do that.',
  invalid_json: 'The body cannot be read as JSON.',
};

/** A moment with some spread, so that all who were sent away do not return at once. Whole seconds from 2 to 6. */
export function jitteredSeconds(random: () => number = Math.random): number {
  return 2 + Math.floor(random() * 5);
}

/**
 * What an error means to the client. Whatever is not known here is a 500 that tells nothing but the request id: messages
 * of libraries may hold SQL, paths and data.
 */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof AdmissionClosedError) {
    return new ProblemError(
      error.level === 'soft' ? 'queue_busy' : 'queue_closed',
      'The platform has more pushes waiting than it wants. Nothing was stored; repeat the same push later.',
      { retryAfterSeconds: error.retryAfterSeconds, cause: error },
    );
  }
  if (error instanceof DoubtfulPublishError) {
    return new ProblemError(
      'push_not_durable',
      'The queue gave no certain answer. Repeat the push with the same push_id: it is applied once.',
      { retryAfterSeconds: jitteredSeconds(), cause: error },
    );
  }
  if (error instanceof HttpException) return fromStatus(error.getStatus(), error);
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && code.startsWith('FST_')) return fromFastify(code, error as { statusCode?: number });
  if (error instanceof SyntaxError && (error as { statusCode?: number }).statusCode === 400) {
    return new ProblemError('invalid_json', DETAILS.invalid_json!, { cause: error });
  }
  if (error instanceof RedisUnavailableError || classifySqlError(error) === 'infrastructure') {
    return new ProblemError('unavailable', 'A part of the platform does not answer at the moment.', {
      retryAfterSeconds: jitteredSeconds(),
      cause: error,
    });
  }
  return internal(error);
}

function fromFastify(code: string, error: { statusCode?: number }): ProblemError {
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || code === 'FST_ERR_CTP_EMPTY_JSON_BODY') {
    return new ProblemError('invalid_json', DETAILS.invalid_json!, { cause: error });
  }
  return fromStatus(error.statusCode ?? 500, error);
}

function fromStatus(status: number, error: unknown): ProblemError {
  const code = BY_STATUS[status];
  if (code === undefined) return internal(error);
  return new ProblemError(code, DETAILS[code] ?? 'The request was refused.', {
    cause: error,
    ...(status === 503 ? { retryAfterSeconds: jitteredSeconds() } : {}),
  });
}

function internal(error: unknown): ProblemError {
  return new ProblemError('internal_error', 'The error is in our log under the request id.', { cause: error });
}
