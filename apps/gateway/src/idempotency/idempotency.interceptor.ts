import { Inject, Injectable } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Logger } from '#libs/runtime';
import { ProblemError } from '../http/problem.js';
import { toProblem } from '../http/to-problem.js';
import { actorName } from '../identity/principal.js';
import type { AuthenticatedRequest } from '../login/asker.decorator.js';
import { LOGGER } from '../tokens.js';
import { NEEDS_KEY } from './idempotency.decorator.js';
import { IdempotentRequests } from './idempotent-requests.service.js';
import type { KeptAnswer, RequestName } from './sealed-answer.js';

const FORM = /^[!-~]{1,255}$/;
const KEPT_HEADERS = ['content-type', 'cache-control', 'link', 'location'];
/** They say: come back with the same request. */
const TO_BE_REPEATED: readonly string[] = ['step_up_required'];

/**
 * POSTs under an `Idempotency-Key` are done once; repeated ones get the same answer, marked `Idempotent-Replayed: true`. It stands around everything
 * else that makes an answer, and behind the guards: who may not ask any more gets no old answer either. Routes for everybody pass.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly requests: IdempotentRequests,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { principal } = request;
    if (request.method !== 'POST' || principal === undefined) return next.handle();
    const key = request.headers['idempotency-key'];
    if (key === undefined) {
      if (this.reflector.get<boolean | undefined>(NEEDS_KEY, context.getHandler()) !== true) return next.handle();
      throw new ProblemError(
        'idempotency_key_required',
        'Send the header Idempotency-Key: a text of your own for this request, and the same when you repeat it.',
      );
    }
    if (typeof key !== 'string' || !FORM.test(key))
      throw new ProblemError('invalid_idempotency_key', 'An Idempotency-Key has 1 to 255 printable ASCII characters.');
    const name = { asker: actorName(principal), method: request.method, url: request.url, key };
    return from(this.once(name, request, context.switchToHttp().getResponse<FastifyReply>(), next));
  }

  private async once(
    name: RequestName,
    request: AuthenticatedRequest,
    reply: FastifyReply,
    next: CallHandler,
  ): Promise<unknown> {
    const before = await this.requests.begin(name, request.body);
    if (before !== null) return again(before, reply);
    try {
      const result: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
      const body = typeof result === 'string' ? result : null;
      await this.settle(name, { status: reply.statusCode, headers: headersOf(reply), body, problem: null });
      return result;
    } catch (error) {
      const problem = toProblem(error);
      const { status, headers, code, detail, errors } = problem;
      await this.settle(name, { status, headers, body: null, problem: { code, detail, errors } });
      throw error;
    }
  }

  /** Never rejects: the request has its outcome. Without an answer the row says later that nobody knows. */
  private async settle(name: RequestName, answer: KeptAnswer): Promise<void> {
    try {
      if (isKept(answer)) await this.requests.keep(name, answer);
      else await this.requests.forget(name);
    } catch (error) {
      this.logger.error({ err: error }, 'the answer to an idempotent request cannot be kept');
    }
  }
}

function isKept({ status, problem }: KeptAnswer): boolean {
  if (status >= 500 || status === 401 || status === 429) return false;
  return problem === null || !TO_BE_REPEATED.includes(problem.code);
}

function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = reply.getHeader(name);
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

function again({ status, headers, body, problem }: KeptAnswer, reply: FastifyReply): string | undefined {
  void reply.header('idempotent-replayed', 'true');
  if (problem !== null)
    throw new ProblemError(problem.code, problem.detail, { errors: problem.errors, headers, noted: true });
  void reply.code(status).headers(headers);
  return body ?? undefined;
}
