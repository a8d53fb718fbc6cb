import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { fastify as createServer, type FastifyInstance } from 'fastify';
import { asSomebody } from '#libs/database';
import { metrics, tracingOf, withCorrelation, type Logger } from '#libs/runtime';
import { AuditLog } from '../audit/audit-log.service.js';
import { isTooDeep } from '../push/push-body.js';
import { ApiRates } from '../rate-limit/api-rates.service.js';
import { ProblemError } from './problem.js';
import { ProblemFilter, sendProblem } from './problem.filter.js';
import { measureRequests } from './request-metrics.js';
import { requestIdOf, traceOf, traceparentOf } from './request-identity.js';
import { PAGE_HEADERS, SECURITY_HEADERS } from './security-headers.js';

/** Bodies of all routes but the push route. */
const MOST_BODY_BYTES = 256 * 1024;

/** The HTTP server, before anything is on it. */
export function createFastify(settings: { readonly trustedProxies: readonly string[] }): FastifyInstance {
  const app: FastifyInstance = createServer({
    logger: false,
    genReqId: (request) => requestIdOf(request),
    requestIdHeader: false,
    bodyLimit: MOST_BODY_BYTES,
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    // Idle keep-alive connections end with the server; those that wait for an answer get it.
    forceCloseConnections: 'idle',
    // Longer than the load balancers in front, so that none sends a request into a closing connection.
    keepAliveTimeout: 75_000,
    // A whole request, body included: ends those that drip.
    requestTimeout: 60_000,
    // Before any hook runs: an address that cannot be read.
    frameworkErrors: (error, request, reply) => {
      void reply.header('x-request-id', request.id);
      sendProblem(error, request, reply, SILENT);
    },
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false },
  });
  // A form of another site can send text; it cannot send JSON without asking.
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const { 'content-encoding': encoding } = request.headers;
    if (encoding !== undefined && encoding !== 'identity') {
      done(new ProblemError('unsupported_media_type', 'Send the body as it is: pushes alone may be compressed.'));
      return;
    }
    // Checks of the body recurse, and a stack that overflows is an error of ours.
    if (isTooDeep(Buffer.from(body))) {
      done(
        new ProblemError('validation_failed', 'The body is nested deeper than any body of the API.', {
          errors: [{ pointer: '', code: 'too_deep', detail: 'must be less deep' }],
        }),
      );
      return;
    }
    void parse(request, body as string, (error, value) => {
      // As a problem of ours it passes Nest unchanged; Nest would make a plain 400 of what the parser throws.
      if (error) done(new ProblemError('invalid_json', 'The body cannot be read as JSON.', { cause: error }));
      else done(null, value);
    });
  });
  return app;
}

/** Errors of that early stage are the client's. */
const SILENT = { error: () => undefined } as unknown as Logger;

/** What every route of Nest has: an id, safe headers, a correlation id for the log, and one form of error. */
export function prepareNestRoutes(app: NestFastifyApplication, logger: Logger): void {
  const fastify = app.getHttpAdapter().getInstance();
  const headers = { ...SECURITY_HEADERS, ...PAGE_HEADERS };
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(headers).header('x-request-id', request.id);
    const given = traceOf(request.headers);
    const tracing = tracingOf('gateway');
    if (tracing === null) return withCorrelation(request.id, done, given);
    const { method, routeOptions } = request;
    const span = tracing.begin(`${method} ${routeOptions.url ?? 'none'}`, 'server', traceparentOf(request.headers), {
      'http.request.method': method,
      'http.route': routeOptions.url ?? 'none',
      'patchwatch.request_id': request.id,
    });
    // Also when the client hangs up before the answer.
    reply.raw.once('close', () => {
      if (reply.statusCode >= 500) span.fail(new Error(`answered ${reply.statusCode}`));
      span.end({ 'http.response.status_code': reply.statusCode });
    });
    withCorrelation(request.id, done, span.traceparent);
  });
  // Around the handler alone: what a body's last bytes wake up runs outside of what began before them. Who it is, a guard says.
  fastify.addHook('preHandler', (_request, _reply, done) => asSomebody(done));
  measureRequests(fastify, metrics('gateway'));
  app.useGlobalFilters(new ProblemFilter(logger, app.get(AuditLog), app.get(ApiRates)));
}
