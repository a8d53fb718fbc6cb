import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { TSchema } from 'typebox';
import { PROBLEMS } from './problem-codes.js';
import type { ProblemCode } from './problem-codes.js';

/** OpenAPI 3.1 is JSON Schema: the contracts' own schemas describe the answers. */
type Schema = Record<string, unknown>;

const META: Schema = {
  type: 'object',
  properties: { request_id: { type: 'string' }, as_of: { type: 'string', format: 'date-time' } },
  required: ['request_id', 'as_of'],
};

const PAGE_META: Schema = {
  type: 'object',
  properties: {
    ...(META.properties as Schema),
    page: { type: 'integer' },
    per_page: { type: 'integer' },
    total: { type: 'integer' },
    total_pages: { type: 'integer' },
  },
  required: ['request_id', 'as_of', 'page', 'per_page', 'total', 'total_pages'],
};

const LINKS: Schema = { type: 'object', additionalProperties: { type: ['string', 'null'] } };

/** The answer is one thing in the envelope. */
export function AnswersOne(data: TSchema, status = 200): MethodDecorator {
  return answers(status, plain(data), META);
}

/** The answer is a page of a list in the envelope. */
export function AnswersList(item: TSchema): MethodDecorator {
  return answers(200, { type: 'array', items: plain(item) }, PAGE_META);
}

/** Problems a route has beyond those that every route has. */
export function Refuses(...codes: ProblemCode[]): MethodDecorator {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  return applyDecorators(...[...byStatus].map(([status, list]) => ApiResponse(problemResponse(status, list))));
}

/** One response of problem documents with these codes. */
export function problemResponse(status: number, codes: readonly ProblemCode[]): Schema & { status: number } {
  return {
    status,
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

function answers(status: number, data: Schema, meta: Schema): MethodDecorator {
  const schema = { type: 'object', properties: { data, meta, links: LINKS }, required: ['data', 'meta', 'links'] };
  return ApiResponse({
    status,
    description: status === 201 ? 'Created' : 'OK',
    content: { 'application/json': { schema: schema } },
  });
}

/** The bare JSON Schema: TypeBox's own marks are symbols or hidden and do not survive JSON. */
export function plain(schema: TSchema): Schema {
  return JSON.parse(JSON.stringify(schema)) as Schema;
}
