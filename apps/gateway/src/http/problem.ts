import { PROBLEMS } from './problem-codes.js';
import type { ProblemCode, ViolationCode } from './problem-codes.js';

/** One thing that is wrong with a request. `pointer`: RFC 6901 into the body; `#/…` is left to the reader. */
export interface Violation {
  readonly pointer: string;
  readonly code: ViolationCode;
  readonly detail: string;
}

export interface ProblemOptions {
  readonly errors?: readonly Violation[];
  /** Whole seconds for `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** More response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
  /** An audit line says so already: the filter writes none. */
  readonly noted?: boolean;
}

/** A refusal with its code; the edge turns it into a problem document (RFC 9457). `detail` reaches the client: no secrets, no internals. */
export class ProblemError extends Error {
  readonly status: number;
  readonly errors: readonly Violation[];
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The audit log has it. */
  noted: boolean;

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    options: ProblemOptions = {},
  ) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = ProblemError.name;
    this.status = PROBLEMS[code].status;
    this.errors = options.errors ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
    this.noted = options.noted ?? false;
  }
}

/** Where people read about codes; each code is a heading there. */
export const ERROR_PAGE = '/docs/errors';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ProblemCode;
  readonly request_id: string;
  readonly errors?: readonly Violation[];
}

/** The document of `problem` for the request `requestId` on `path` (without its query, which may hold what must not be repeated). */
export function problemDocument(problem: ProblemError, requestId: string, path: string): ProblemDocument {
  return {
    type: `${ERROR_PAGE}#${problem.code}`,
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    detail: problem.detail,
    instance: path.split('?', 1)[0] ?? '/',
    code: problem.code,
    request_id: requestId,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
  };
}

/** The headers of `problem` beyond its content type. */
export function problemHeaders(problem: ProblemError): Record<string, string> {
  const headers: Record<string, string> = { ...problem.headers };
  if (problem.retryAfterSeconds !== undefined)
    headers['retry-after'] = String(Math.max(1, Math.ceil(problem.retryAfterSeconds)));
  if (problem.status === 401) headers['www-authenticate'] ??= 'Bearer realm="patchwatch"';
  headers['cache-control'] ??= 'no-store';
  return headers;
}
