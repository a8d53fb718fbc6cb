import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#libs/testing';
import type { Platform } from './platform/platform.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import type { Stage } from './stage.js';

/** Nothing is on it and nothing happens; what hangs here is the scenario alone. */
const emptyPlatform = {
  partitions: 1,
  gateways: ['http://127.0.0.1:1'],
  restore: async () => undefined,
  query: async () => [{ id: 0, rows: 0, count: 0 }],
  fleet: () => [],
  streams: { xlen: async () => 0, xpending: async () => [0], xinfo: async () => [] },
} as unknown as Platform;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchwatch-faults-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('A scenario that hangs', () => {
  it.each<[string, (stage: Stage) => Promise<unknown>]>([
    ['a probe that never comes back', (stage) => stage.until('the moon', () => new Promise(() => undefined), 600_000)],
    ['a probe that is never content', (stage) => stage.until('the moon', () => false, 600_000)],
    ['work that is never done', (stage) => stage.done('the moon', new Promise(() => undefined), 600_000)],
    [
      'a pause',
      async (stage) => {
        await stage.until('the moon', () => true);
        await stage.pass(600_000);
      },
    ],
  ])('in %s is given up, says what it waited for, and breaks off', async (_what, hang) => {
    let end: unknown = 'none yet';
    const scenario: Scenario = {
      number: 99,
      name: 'hanging',
      promise: 'none',
      run: (stage) =>
        hang(stage).then(
          () => void (end = 'it went on'),
          (error: Error) => void (end = error.message),
        ),
    };
    const options = { short: true, folder, say: () => undefined, limitMs: 200 };
    const { verdict, problems } = await runScenario(emptyPlatform, scenario, options);
    expect(verdict).toBe('broken');
    expect(problems.join()).toContain('Waited 200 ms for the scenario to end, in vain');
    expect(problems.join()).toContain('it waited last for the moon');
    await eventually(() => end !== 'none yet', { what: 'the scenario to break off' });
    expect(end).toBe('the scenario was given up');
  });
});
