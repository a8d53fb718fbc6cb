import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { eventually, freePort } from '#libs/testing';

const root = dirname(createRequire(import.meta.url).resolve('../../../package.json'));
const bundle = join(root, 'node_modules/.cache/patchwatch/run-service-sample.mjs');
const children: ChildProcess[] = [];

/** A service whose start, readiness and stop are steered by its environment, run by `runService` in a process of its own. */
const SAMPLE = `
  import { runService } from './libs/runtime/src/index.ts';
  await runService('sample', async (config) => {
    if (config.env.SAMPLE === 'cannot-start') throw new Error('no such table');
    if (config.env.SAMPLE === 'crashes') setTimeout(() => { throw new Error('a bug'); }, 1);
    return {
      name: 'sample',
      ready: async () => ({ ok: true, checks: { itself: { ok: true } } }),
      stop: async () => { console.log('{"msg":"stop was called"}'); },
    };
  });
`;

beforeAll(async () => {
  mkdirSync(dirname(bundle), { recursive: true });
  await build({
    stdin: { contents: SAMPLE, resolveDir: root, loader: 'ts' },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

async function run(settings: Record<string, string> = {}): Promise<{
  child: ChildProcess;
  url: string;
  output: () => string;
  ended: Promise<unknown[]>;
}> {
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'],
    PATCHWATCH_DATABASE_URL: 'postgres://127.0.0.1/none',
    PATCHWATCH_STREAMS_URL: 'redis://127.0.0.1:1',
    PATCHWATCH_HEALTH_PORT: String(port),
    ...settings,
  };
  const child = spawn(process.execPath, [bundle], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  children.push(child);
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return { child, url: `http://127.0.0.1:${port}`, output: () => output, ended: once(child, 'exit') };
}

describe('runService', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops in order on %s and ends with code 0', async (signal) => {
    const { child, url, output, ended } = await run();
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, { what: 'readiness' });
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
    await eventually(() => output().includes('stop was called'), { what: 'stop was called' });
  });

  it('stops in order when its starter goes away without a word', async () => {
    const { child, url, output, ended } = await run();
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200, { what: 'readiness' });
    child.disconnect();
    expect(await ended).toEqual([0, null]);
    await eventually(() => output().includes('the starter is gone'), { what: 'the starter is gone' });
  });

  it('ends with code 1 and the reason when the start fails, or when an error was caught by nobody', async () => {
    const failing = await run({ SAMPLE: 'cannot-start' });
    expect(await failing.ended).toEqual([1, null]);
    await eventually(() => failing.output().includes('no such table'), { what: 'no such table' });
    const crashing = await run({ SAMPLE: 'crashes' });
    expect(await crashing.ended).toEqual([1, null]);
    await eventually(() => crashing.output().includes('a bug'), { what: 'a bug' });
  });

  it('ends with code 78 when its settings make no sense, because starting again would not help', async () => {
    const { output, ended } = await run({ PATCHWATCH_STREAMS_URL: '' });
    expect(await ended).toEqual([78, null]);
    await eventually(() => output().includes('PATCHWATCH_STREAMS_URL is missing'), {
      what: 'PATCHWATCH_STREAMS_URL is missing',
    });
  });
});
