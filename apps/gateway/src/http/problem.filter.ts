import { Catch } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '#libs/runtime';
import type { AuditLog } from '../audit/audit-log.service.js';
import type { ApiRates } from '../rate-limit/api-rates.service.js';
import { noteRefusal } from './note-refusal.js';
import { PROBLEM_CONTENT_TYPE, problemDocument, problemHeaders } from './problem.js';
import { toProblem } from './to-problem.js';

/**
 * The one place where an error of a Nest route becomes an answer. Errors of ours are logged whole, of others not at all; refusals are noted
 * in the audit log.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly audit: AuditLog,
    private readonly rates: ApiRates,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = toProblem(error);
    noteRefusal(problem, request, this.audit);
    // Addresses that do not exist and bodies that cannot be read come before the guard that counts.
    if (!reply.hasHeader('ratelimit')) void reply.headers(this.rates.standOfStranger(request.ip));
    sendProblem(problem, request, reply, this.logger);
  }
}

/** Answers with the problem document of `error`. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const problem = toProblem(error);
  if (problem.status >= 500) {
    logger.error({ err: problem.cause ?? problem, request_id: request.id, code: problem.code }, 'a request failed');
  }
  // A streamed answer that breaks half-way has its status sent already: cut it, so that nobody takes it for whole.
  if (reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  void reply
    .code(problem.status)
    .headers(problemHeaders(problem))
    .header('content-type', PROBLEM_CONTENT_TYPE)
    .send(JSON.stringify(problemDocument(problem, request.id, request.url)));
}
