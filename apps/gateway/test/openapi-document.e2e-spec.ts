import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConfig, lintFromString, type NormalizedProblem } from '@redocly/openapi-core';
import { apiInABox, type Api } from './api-in-a-box.js';

/** The description of the API is part of what we promise: it is committed, so that every change of it is seen. */
const FILE = join(process.cwd(), 'docs', 'openapi.json');
/** Set by `npm run openapi`. */
const UPDATE = process.env['PATCHWATCH_UPDATE_OPENAPI'] === '1';

let api: Api;
let text: string;

beforeAll(async () => {
  api = await apiInABox();
  const answer = await fetch(`${api.base}/docs/openapi.json`);
  text = `${JSON.stringify(await answer.json(), null, 2)}\n`;
  if (UPDATE) writeFileSync(FILE, text);
}, 60_000);
afterAll(() => api?.close());

describe('the description of the API', () => {
  it('is the one in docs/openapi.json; after a change that is meant, `npm run openapi` writes it anew', () => {
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(FILE, 'utf8')));
  });

  it('has nothing that the linter refuses', async () => {
    const config = await createConfig({
      extends: ['recommended'],
      rules: {
        // Whoever runs Patchwatch decides what may be done with it, and where it is.
        'info-license': 'off',
        'no-empty-servers': 'off',
        'no-server-example.com': 'off',
        // Reads of everybody have no problem of the client's.
        'operation-4xx-response': 'off',
        'operation-operationId-unique': 'error',
        'no-invalid-media-type-examples': 'error',
        'no-invalid-schema-examples': 'error',
      },
    });
    expect((await lintFromString({ source: text, config })).map(told)).toEqual([]);
  });

  it('names each operation, says in a line what it does, and describes what it answers', () => {
    const paths = Object.entries((JSON.parse(text) as Description).paths);
    const bare = paths.flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(
          ([, { operationId, summary, tags, responses }]) => !(operationId && summary && tags?.length && responses),
        )
        .map(([method]) => `${method} ${path}`),
    );
    expect(bare).toEqual([]);
    const silent = paths.flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.entries(responses)
          .filter(([status, { content }]) => ['200', '201'].includes(status) && content === undefined)
          .map(([status]) => `${method} ${path}: ${status}`),
      ),
    );
    expect(silent).toEqual([]);
  });
});

interface Description {
  readonly paths: Record<
    string,
    Record<
      string,
      { operationId?: string; summary?: string; tags?: string[]; responses: Record<string, { content?: unknown }> }
    >
  >;
}

function told(problem: NormalizedProblem): string {
  return `${problem.severity} ${problem.ruleId}: ${problem.message} (${problem.location.map(({ pointer }) => pointer ?? '').join(' ')})`;
}
