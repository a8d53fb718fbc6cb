import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { collectionOf, type Described } from '../../tools/postman/collection.js';
import { startSystem, type System } from '../harness/system.js';

/** What people are given to work with the API, tried out against a whole platform, so that it cannot rot: the guide and the Postman collection. */
const DOCS = join(process.cwd(), 'docs');
/** Set by `npm run openapi`. */
const UPDATE = process.env['PATCHWATCH_UPDATE_OPENAPI'] === '1';
const run = promisify(execFile);

let system: System;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchwatch-api-'));
  system = await startSystem();
}, 180_000);
afterAll(async () => {
  await system?.stop();
  rmSync(folder, { recursive: true });
});

const missing = ['bash', 'curl'].filter((program) => spawnSync(program, ['--version']).status !== 0);
if (missing.length > 0) console.warn(`The integration guide is not tried: ${missing.join(' and ')} is not installed.`);

(missing.length === 0 ? describe : describe.skip)('the integration guide', () => {
  let outputs: string[];

  beforeAll(async () => {
    const script = blocks()
      .map(({ commands }) => `${commands}\necho; echo '${END}'\n`)
      .join('');
    const { stdout } = await run('bash', ['--norc', '-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: { PATH: process.env['PATH'], URL: system.url, LOGIN: system.login.email, PASSWORD: system.login.password },
      timeout: 240_000,
    }).catch((error: unknown) => {
      // Which command it was shows in what the others answered; the error names all of them.
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`the commands did not all succeed; so far they answered\n${stdout}\n${stderr}`, { cause: error });
    });
    outputs = stdout.split(`${END}\n`).map((one) => one.trim());
  }, 260_000);

  it('has commands that all succeed', () => {
    expect(blocks().length).toBeGreaterThan(10);
    expect(outputs).toHaveLength(blocks().length + 1);
  });

  it('shows answers as they are, shortened', () => {
    const lies = blocks().flatMap(({ commands, shown }, index) => {
      const output = outputs[index] ?? '';
      if (shown === null) return [];
      if (shown.kind === 'text') return output === shown.text.trim() ? [] : [`${commands}\nanswered ${output}`];
      return differences(JSON.parse(shown.text), JSON.parse(output)).map((what) => `${commands}\n${what} of ${output}`);
    });
    expect(lies).toEqual([]);
  });
});

describe('the Postman collection', () => {
  let text: string;

  beforeAll(async () => {
    const description = JSON.parse(readFileSync(join(DOCS, 'openapi.json'), 'utf8')) as Described;
    text = `${JSON.stringify(await collectionOf(description), null, 2)}\n`;
    if (UPDATE) writeFileSync(join(DOCS, 'postman.json'), text);
  }, 60_000);

  it('is the one in docs/postman.json; `npm run openapi` writes it anew', () => {
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(join(DOCS, 'postman.json'), 'utf8')));
  });

  it('tours a running platform, and gets from every other request an answer that the description names', async () => {
    const { run: tour } = await newman(text);
    expect(tour.failures.map(({ source, error }) => `${source.name}: ${error.message}`)).toEqual([]);
    // All of them were sent, and each was looked at.
    expect(tour.stats.requests.total).toBe(requestsIn(JSON.parse(text)));
    expect(tour.stats.assertions.total).toBe(tour.stats.requests.total);
  }, 260_000);
});

/** Ends the output of one command block. */
const END = '=== end of a block ===';

interface Block {
  readonly commands: string;
  /** What the guide shows as the answer to the last of them. */
  readonly shown: { readonly kind: 'json' | 'text'; readonly text: string } | null;
}

function blocks(): Block[] {
  const fences = [
    ...readFileSync(join(DOCS, 'integration-guide.md'), 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm),
  ].map(([, kind = '', text = '']) => ({
    kind,
    text,
  }));
  return fences.flatMap(({ kind, text }, index) => {
    if (kind !== 'bash') return [];
    const next = fences[index + 1];
    const shown = next?.kind === 'json' || next?.kind === 'text' ? { kind: next.kind, text: next.text } : null;
    return [{ commands: text, shown } as Block];
  });
}

/** Where `answer` is not what `shown` promises: the same members (it may have more), values of the same type; texts with `…` are only alike. */
function differences(shown: unknown, answer: unknown, path = ''): string[] {
  if (typeof shown !== 'object' || shown === null) {
    const alike = typeof shown === 'string' && shown.includes('…') ? typeof answer === 'string' : shown === answer;
    return alike ? [] : [`${path} is ${JSON.stringify(answer)}, shown as ${JSON.stringify(shown)}:`];
  }
  if (typeof answer !== 'object' || answer === null) return [`${path} is no object:`];
  return Object.entries(shown).flatMap(([name, value]) =>
    differences(value, (answer as Record<string, unknown>)[name], `${path}/${name}`),
  );
}

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

/** Runs the collection as anybody would, by newman's own command. */
async function newman(text: string): Promise<Report> {
  const file = join(folder, 'collection.json');
  const report = join(folder, 'report.json');
  writeFileSync(file, text);
  const program = createRequire(import.meta.url).resolve('newman/bin/newman.js');
  const variables = { baseUrl: system.url, email: system.login.email, password: system.login.password };
  const given = Object.entries(variables).flatMap(([name, value]) => ['--env-var', `${name}=${value}`]);
  const args = [program, 'run', file, '--reporters', 'json', '--reporter-json-export', report, ...given];
  // Its exit code says what the report says, too.
  const { stdout, stderr } = await run(process.execPath, args, { timeout: 240_000 }).catch(
    (error: unknown) => error as { stdout: string; stderr: string },
  );
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Report;
  } catch (cause) {
    throw new Error(`newman left no report:\n${(stdout + stderr).slice(-2_000)}`, { cause });
  }
}

function requestsIn(item: { item?: unknown[] }): number {
  return item.item === undefined
    ? 1
    : item.item.reduce((sum: number, one) => sum + requestsIn(one as { item?: unknown[] }), 0);
}
