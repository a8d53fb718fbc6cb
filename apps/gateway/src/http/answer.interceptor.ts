import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import { Answer, pageLinks, WrittenJson } from './answer.js';
import { revisionTag } from './if-match.js';

/**
 * Turns an `Answer` into the envelope `{data, meta, links}`, gives reads an ETag and answers 304 when the reader has it.
 * The tag covers data, paging and links, not `request_id` and `as_of`, which differ with every request.
 */
@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(map((result) => (result instanceof Answer ? render(result, request, reply) : result)));
  }
}

function render(answer: Answer<unknown>, request: FastifyRequest, reply: FastifyReply): string | undefined {
  const { page, meta, links, secret, revision } = answer.options;
  // 204: nothing but the tag for the next change.
  if (answer.data === undefined) {
    if (revision !== undefined) reply.header('etag', revisionTag(revision));
    return undefined;
  }
  const { data } = answer;
  const body = data instanceof WrittenJson ? data : new WrittenJson(JSON.stringify(data));
  const paging = page === undefined ? {} : { ...page, total_pages: Math.ceil(page.total / page.per_page) };
  const allLinks = { self: request.url, ...(page === undefined ? {} : pageLinks(request.url, page)), ...links };
  const linksText = JSON.stringify(allLinks);
  reply.header('cache-control', secret === true ? 'private, no-store' : 'private, no-cache');
  if (request.method === 'GET' && secret !== true) {
    const whole = entityTag(body.digest, JSON.stringify({ ...paging, ...meta }), linksText);
    const tag = revision === undefined ? whole : revisionTag(revision, whole);
    reply.header('etag', tag);
    if (matches(request.headers['if-none-match'], tag)) {
      reply.code(304);
      return undefined;
    }
  } else if (revision !== undefined) reply.header('etag', revisionTag(revision));
  if (page !== undefined) reply.header('link', linkHeader(allLinks));
  reply.header('content-type', 'application/json; charset=utf-8');
  const allMeta = {
    request_id: request.id,
    as_of: answer.options.asOf ?? new Date().toISOString(),
    ...paging,
    ...meta,
  };
  return `{"data":${body.json},"meta":${JSON.stringify(allMeta)},"links":${linksText}}`;
}

/** A strong tag over `parts`. */
export function entityTag(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return `"${hash.digest('base64url').slice(0, 27)}"`;
}

/** RFC 9110 §13.1.2: weak comparison; `*` matches whatever there is. */
export function matches(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(',').some((candidate) => {
    const bare = candidate.trim().replace(/^W\//, '');
    return bare === '*' || bare === tag;
  });
}

function linkHeader(links: Readonly<Record<string, string | null>>): string {
  return Object.entries(links)
    .filter(
      (entry): entry is [string, string] => entry[1] !== null && ['first', 'prev', 'next', 'last'].includes(entry[0]),
    )
    .map(([relation, url]) => `<${url}>; rel="${relation}"`)
    .join(', ');
}
