import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectionOf, type Described } from '../../tools/postman/collection.js';
import { startSystem, type System } from '../harness/system.js';

/** The collection that people import: made of the description of the API, and run against a whole platform, so that neither can rot. */
const DOCS = join(process.cwd(), 'docs');
/** Set by `npm run openapi`. */
const UPDATE = process.env['PATCHWATCH_UPDATE_OPENAPI'] === '1';

interface Failure {
  readonly source: { readonly name: string };
  readonly error: { readonly message: string };
}

interface Report {
  readonly run: {
    readonly stats: { readonly requests: { readonly total: number }; readonly assertions: { readonly total: number } };
    readonly failures: readonly Failure[];
    readonly executions: readonly {
      readonly item: { readonly name: string };
      readonly response?: { readonly code: number; readonly stream?: unknown };
    }[];
  };
}

let system: System;
let text: string;
const folder = mkdtempSync(join(tmpdir(), 'patchwatch-postman-'));

beforeAll(async () => {
  const description = JSON.parse(readFileSync(join(DOCS, 'openapi.json'), 'utf8')) as Described;
  text = `${JSON.stringify(await collectionOf(description), null, 2)}\n`;
  if (UPDATE) writeFileSync(join(DOCS, 'postman.json'), text);
  system = await startSystem();
}, 90_000);
afterAll(async () => {
  await system?.stop();
  rmSync(folder, { recursive: true });
});

describe('the Postman collection', () => {
  it('is the one in docs/postman.json; `npm run openapi` writes it anew', () => {
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(join(DOCS, 'postman.json'), 'utf8')));
  });

  it('tours a running platform, and gets from every other request an answer that the description names', async () => {
    const { run } = await newman();
    expect(run.failures.map(({ source, error }) => `${source.name}: ${error.message}`)).toEqual([]);
    // All of them were sent, and each was looked at.
    expect(run.stats.requests.total).toBe(requestsIn(JSON.parse(text)));
    expect(run.stats.assertions.total).toBe(run.stats.requests.total);
  }, 120_000);
});

/** Runs the collection as anybody would, by newman's own command. */
async function newman(): Promise<Report> {
  const file = join(folder, 'collection.json');
  const report = join(folder, 'report.json');
  writeFileSync(file, text);
  const program = createRequire(import.meta.url).resolve('newman/bin/newman.js');
  const variables = { baseUrl: system.url, email: system.login.email, password: system.login.password };
  const given = Object.entries(variables).flatMap(([name, value]) => ['--env-var', `${name}=${value}`]);
  const args = [program, 'run', file, '--reporters', 'json', '--reporter-json-export', report, ...given];
  const output = await new Promise<string>((resolve) => {
    // Its exit code says what the report says, too.
    execFile(process.execPath, args, { timeout: 100_000 }, (_error, stdout, stderr) => {
      resolve(stdout + stderr);
    });
  });
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Report;
  } catch (cause) {
    throw new Error(`newman left no report:\n${output.slice(-2_000)}`, { cause });
  }
}

function requestsIn(item: { item?: unknown[] }): number {
  return item.item === undefined
    ? 1
    : item.item.reduce((sum: number, one) => sum + requestsIn(one as { item?: unknown[] }), 0);
}
