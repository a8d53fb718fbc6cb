import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import { traceIdOf } from '#libs/runtime';
import type { Logger, Tracing } from '#libs/runtime';
import type { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError, PROBLEM_CONTENT_TYPE, problemDocument, problemHeaders } from '../http/problem.js';
import { traceparentOf } from '../http/request-identity.js';
import { SECURITY_HEADERS } from '../http/security-headers.js';
import { toProblem } from '../http/to-problem.js';
import { networkOf } from '../login/network.js';
import type { PlanRates } from '../rate-limit/plan-rates.service.js';
import type { SiteKey, SiteKeyDirectory } from '../site-key/site-key-directory.service.js';
import type { AcceptPush } from './accept-push.service.js';
import { MOST_COMPRESSED_BYTES } from './push-body.js';
import type { PushMetrics } from './push-metrics.js';
import { PUSH_ROUTE } from './push-route.js';
import { beginPushSpan } from './push-span.js';
import { queryProblem } from './query-problem.js';
import type { SharedRateLimiter } from './shared-rate-limiter.service.js';

/** What the push route works with. */
export interface PushRouteParts {
  readonly keys: SiteKeyDirectory;
  readonly pushRates: PlanRates;
  readonly wrongKeyRate: SharedRateLimiter;
  readonly acceptPush: AcceptPush;
  readonly audit: AuditLog;
  readonly metrics: PushMetrics;
  readonly logger: Logger;
  /** null: nobody records spans, and the route does not look for one. */
  readonly tracing: Tracing | null;
}

interface PushRequest extends FastifyRequest<{ Params: { siteUuid: string }; Body: Buffer | undefined }> {
  siteKey: SiteKey | null;
}

/**
 * The push route: Fastify alone, without Nest's pipeline, which costs as much as all the work done here. Its life:
 *
 *   headers → query empty (400) → content encoding known (415) → key (401, from an address with many wrong ones 429)
 *           → the key is this site's (404) → rate of the key (429)
 *   body    → application/json (415), at most 2 MiB (413); read only for a key that is right
 *   accept  → inflate (400, 413) → parse (400, 422) → schema (422) → of the site it says it is (403) → heartbeat's hash (409)
 *           → queue open (429, 503) → durable append (503) → 202
 *
 * Every refusal leaves an audit line with its reason; floods are counted into one.
 */
export class PushController {
  private parts!: PushRouteParts;

  /**
   * Registers the route on `app`, in a context of its own: hooks and parsers of others do not reach it. The parts come later
   * (`connect`), when Nest has made them and before anybody listens.
   */
  async register(app: FastifyInstance): Promise<void> {
    await app.register((context, _options, done) => {
      context.removeAllContentTypeParsers();
      context.addContentTypeParser(
        'application/json',
        { parseAs: 'buffer', bodyLimit: MOST_COMPRESSED_BYTES },
        (_request, body, parsed) => {
          parsed(null, body);
        },
      );
      context.decorateRequest('siteKey', null);
      context.setErrorHandler((error, request, reply) => {
        this.refuse(error, request as PushRequest, reply);
      });
      context.post(PUSH_ROUTE, this.options, this.accept as never);
      done();
    });
  }

  connect(parts: PushRouteParts): void {
    this.parts = parts;
  }

  private readonly options: RouteShorthandOptions = {
    bodyLimit: MOST_COMPRESSED_BYTES,
    onRequest: (request, _reply, done) => {
      this.identify(request as PushRequest, done);
    },
  };

  /** All that can be said before the body is read. */
  private identify(request: PushRequest, done: (error?: Error) => void): void {
    // Before `listen` nobody can be here; after it the parts are.
    const { headers, raw } = request;
    if (raw.url!.includes('?')) {
      done(queryProblem(request.query as Record<string, unknown>));
      return;
    }
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'gzip' && encoding !== 'identity') {
      done(
        new ProblemError('unsupported_content_encoding', 'Send the body as it is or with gzip.', {
          headers: { 'accept-encoding': 'gzip, identity' },
        }),
      );
      return;
    }
    const text = headers['x-api-key'];
    if (typeof text !== 'string') {
      done(new ProblemError('missing_credentials', 'Send the key of the site: X-API-Key: pw_site_…'));
      return;
    }
    const key = this.parts.keys.peek(text);
    if (key === undefined) {
      this.lookUp(text, request, done);
      return;
    }
    done(this.admit(key, request));
  }

  /**
   * A key that must be looked up. An address that has shown many invented ones is held back here and only here: a key that
   * was right before goes on, whoever shares its address, and mistyped ones cost no look-up.
   */
  private lookUp(text: string, request: PushRequest, done: (error?: Error) => void): void {
    const { keys, wrongKeyRate } = this.parts;
    const network = networkOf(request.ip);
    const wait = keys.wasRight(text) ? 0 : wrongKeyRate.wait(network);
    if (wait > 0) {
      done(rateLimited(wait, 'Too many invented keys came from this address.'));
      return;
    }
    keys.find(text).then(
      (found) => {
        if (found === null) wrongKeyRate.take(network);
        done(this.admit(found, request));
      },
      (error: unknown) => {
        done(toProblem(error));
      },
    );
  }

  private admit(key: SiteKey | null, request: PushRequest): ProblemError | undefined {
    if (key === null) {
      return new ProblemError('invalid_api_key', 'There is no such key, or it is no longer good.', {
        headers: { 'www-authenticate': 'X-API-Key realm="patchwatch"' },
      });
    }
    request.siteKey = key;
    if (request.params.siteUuid !== key.siteUuid && request.params.siteUuid.toLowerCase() !== key.siteUuid) {
      return new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
    }
    const wait = this.parts.pushRates.of(key.pushesPerMinute).take(key.publicId);
    return wait > 0 ? rateLimited(wait, 'This key sends more pushes than it may.') : undefined;
  }

  private readonly accept = (request: PushRequest, reply: FastifyReply): void => {
    const key = request.siteKey!;
    const started = performance.now();
    const given = traceparentOf(request.headers);
    const span =
      this.parts.tracing === null ? null : beginPushSpan(this.parts.tracing, given, request.id, key.siteUuid);
    this.parts.acceptPush
      .accept({
        key,
        body: request.body ?? EMPTY,
        gzip: request.headers['content-encoding'] === 'gzip',
        requestId: request.id,
        address: request.ip,
        traceparent: span === null ? given : span.traceparent,
      })
      .then(
        (pushId) => {
          this.answer(pushId, key, request, reply, started);
          span?.end({ 'http.response.status_code': 202, 'patchwatch.push_id': pushId });
        },
        (error: unknown) => {
          this.refuse(error, request, reply);
          span?.fail(error);
          span?.end({ 'http.response.status_code': reply.statusCode });
        },
      );
  };

  /** 202. Written by hand: every value is of a closed alphabet, so nothing needs escaping. */
  private answer(pushId: string, key: SiteKey, request: PushRequest, reply: FastifyReply, started: number): void {
    const { pushRates, metrics } = this.parts;
    const pushRate = pushRates.of(key.pushesPerMinute);
    const self = `/api/v1/sites/${key.siteUuid}/pushes/${pushId}`;
    const body = `{"data":{"push_id":"${pushId}","state":"queued"},"meta":{"request_id":"${request.id}"},"links":{"self":"${self}"}}`;
    // Straight to the socket: Fastify's reply would build its headers one by one and look for hooks that are not there.
    reply.hijack();
    reply.raw.writeHead(202, [
      ...ACCEPTED_HEADERS,
      'content-length',
      String(body.length),
      'x-request-id',
      request.id,
      'location',
      self,
      'ratelimit-policy',
      pushRate.policyHeader,
      'ratelimit',
      pushRate.header(key.publicId),
    ]);
    reply.raw.end(body, 'latin1');
    metrics.accepted(performance.now() - started, request.body?.length ?? 0);
  }

  private refuse(error: unknown, request: PushRequest, reply: FastifyReply): void {
    const { audit, metrics, logger } = this.parts;
    const problem = toProblem(error);
    metrics.refused(problem.code);
    const trace_id = traceIdOf(traceparentOf(request.headers));
    if (problem.status >= 500)
      logger.error(
        { err: problem.cause ?? problem, request_id: request.id, trace_id, code: problem.code },
        'a push failed',
      );
    const { siteKey } = request;
    audit.refused({
      action: 'push.refused',
      reason: problem.code,
      actor: siteKey === null ? 'anonymous' : `key:${siteKey.publicId}`,
      organizationId: siteKey?.organizationId ?? null,
      // A stranger chooses what is in the address; what she cannot choose tells floods apart.
      subject: siteKey === null ? `network:${networkOf(request.ip)}` : `site:${siteKey.siteUuid}`,
      address: request.ip,
      requestId: request.id,
      detail: problem.errors.length > 0 ? { errors: problem.errors.slice(0, 5) } : {},
    });
    const rate = siteKey === null ? this.parts.wrongKeyRate : this.parts.pushRates.of(siteKey.pushesPerMinute);
    const closes = problem.status === 413 || siteKey === null ? { connection: 'close' } : {};
    void reply
      .code(problem.status)
      .header('ratelimit-policy', rate.policyHeader)
      .header('ratelimit', rate.header(siteKey === null ? networkOf(request.ip) : siteKey.publicId))
      .headers({ ...SECURITY_HEADERS, ...problemHeaders(problem), ...closes, 'x-request-id': request.id })
      .header('content-type', PROBLEM_CONTENT_TYPE)
      .send(JSON.stringify(problemDocument(problem, request.id, request.url)));
  }
}

const EMPTY = Buffer.alloc(0);

/** Those that are the same every time, as Node takes them without a look at each. */
const ACCEPTED_HEADERS = Object.entries({
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  ...SECURITY_HEADERS,
}).flat();

function rateLimited(waitMs: number, detail: string): ProblemError {
  return new ProblemError('rate_limited', detail, { retryAfterSeconds: waitMs / 1000 });
}
