import { FullPush, HeartbeatPush } from '#libs/contracts';
import { NEEDS_KEY_EXTENSION } from '../idempotency/idempotency.decorator.js';
import { PROBLEMS, VIOLATIONS } from '../http/problem-codes.js';
import type { ProblemCode } from '../http/problem-codes.js';

/** JSON as the document has it; its types in @nestjs/swagger are those of 3.0. */
type Json = Record<string, unknown>;

/** What a description of the API looks like to us. */
export interface OpenApi {
  components?: Json;
  paths: Record<string, Record<string, Json>>;
}

/** Problems that every route can have. */
const EVERYWHERE: readonly ProblemCode[] = [
  'missing_credentials',
  'invalid_token',
  'second_factor_required',
  'rate_limited',
  'internal_error',
  'unavailable',
];
/** On every answer of Nest's routes (draft-ietf-httpapi-ratelimit-headers-10). */
const RATE_LIMIT_HEADERS: Json = {
  'RateLimit-Policy': {
    description: 'How many requests may come in which time: `"user";q=6000;w=60`.',
    schema: { type: 'string' },
  },
  RateLimit: {
    description: 'How many may still come, and the seconds until all of them may: `"user";r=5999;t=1`.',
    schema: { type: 'string' },
  },
};
const RATE_LIMIT_REFERENCES: Json = Object.fromEntries(
  Object.keys(RATE_LIMIT_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);
/** Problems of a POST that was sent under an Idempotency-Key. */
const OF_IDEMPOTENT_REQUESTS: readonly ProblemCode[] = [
  'invalid_idempotency_key',
  'idempotent_request_running',
  'idempotent_request_lost',
  'idempotency_key_reused',
];
/** Problems of the push route beyond those. */
const OF_PUSHES: readonly ProblemCode[] = [
  'invalid_json',
  'invalid_encoding',
  'invalid_gzip',
  'key_in_query',
  'invalid_api_key',
  'missing_credentials',
  'not_found',
  'site_quarantined',
  'inventory_hash_unknown',
  'payload_too_large',
  'unsupported_media_type',
  'unsupported_content_encoding',
  'invalid_push',
  'rate_limited',
  'queue_busy',
  'internal_error',
  'queue_closed',
  'push_not_durable',
  'unavailable',
];

/** Adds what Nest cannot see: the push route, the problem document, and the errors of every route. */
export function completed<D extends OpenApi>(document: D): D {
  document.components = {
    ...document.components,
    schemas: { ...(document.components?.schemas as Json), Problem: PROBLEM },
    headers: RATE_LIMIT_HEADERS,
  };
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
    // Nest numbers the addresses of one method; a client's method is named once.
    operation.operationId = String(operation.operationId).replace(/\[(\d+)\]$/, (_, n) =>
      n === '0' ? '' : `${Number(n) + 1}`,
    );
    // Said aloud: for everybody.
    operation.security ??= [];
    const succeeds = Object.keys(operation.responses as Json).some((status) => status.startsWith('2'));
    operation.responses = {
      ...(succeeds ? {} : { 204: { description: 'Done; the answer has no body' } }),
      ...(operation.responses as Json),
      ...problemResponses(EVERYWHERE, operation.responses as Json),
    };
  }
  for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path)))
    for (const response of Object.values(operation.responses as Record<string, Json>))
      response.headers = { ...(response.headers as Json | undefined), ...RATE_LIMIT_REFERENCES };
  for (const { post } of Object.values(document.paths))
    if ((post?.security as unknown[] | undefined)?.length) takesIdempotencyKey(post!);
  document.paths['/api/v1/sites/{siteUuid}/modules/sync'] = { post: PUSH };
  return document;
}

/** POSTs that know who asks take the header; the push route, which is added later, has its `push_id`. */
function takesIdempotencyKey(operation: Json): void {
  const known = operation.responses as Json;
  operation.parameters = [
    ...((operation.parameters as Json[] | undefined) ?? []),
    {
      name: 'Idempotency-Key',
      in: 'header',
      required: operation[NEEDS_KEY_EXTENSION] === true,
      description:
        'A text of your own for this request. Repeated with it within 24 hours, the request is not done again: you get the same answer, marked `Idempotent-Replayed: true`. Not kept: 401, 429, 5xx and `step_up_required`.',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
    },
  ];
  operation.responses = { ...known, ...problemResponses(OF_IDEMPOTENT_REQUESTS, known) };
}

function problemResponses(codes: readonly ProblemCode[], known: Json = {}): Json {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus]
      .filter(([status]) => !(status in known))
      .map(([status, list]) => [
        String(status),
        {
          description: list.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
  );
}

const PROBLEM: Json = {
  type: 'object',
  description: 'RFC 9457. Decide by `code`.',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'RFC 6901' },
          code: { type: 'string', enum: [...VIOLATIONS] },
          detail: { type: 'string' },
        },
      },
    },
  },
};

const PUSH: Json = {
  operationId: 'pushInventory',
  tags: ['Pushes'],
  summary: 'Push the inventory of a site, or the hash of one that is known',
  description:
    'Answers 202 when, and only when, the push is stored for good. `Content-Encoding: gzip` is welcome. After a 503 or no answer repeat the same push with the same `push_id`. Order does not matter: `(epoch, sequence)` decides.',
  security: [{ site_key: [] }],
  parameters: [{ name: 'siteUuid', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: { anyOf: [JSON.parse(JSON.stringify(FullPush)), JSON.parse(JSON.stringify(HeartbeatPush))] },
      },
    },
  },
  responses: {
    202: {
      description: 'Accepted and durable',
      headers: RATE_LIMIT_REFERENCES,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['data', 'meta', 'links'],
            properties: {
              data: {
                type: 'object',
                required: ['push_id', 'state'],
                properties: { push_id: { type: 'string', format: 'uuid' }, state: { type: 'string', const: 'queued' } },
              },
              meta: { type: 'object', required: ['request_id'], properties: { request_id: { type: 'string' } } },
              links: { type: 'object', required: ['self'], properties: { self: { type: 'string' } } },
            },
          },
        },
      },
    },
    ...problemResponses(OF_PUSHES),
  },
};
