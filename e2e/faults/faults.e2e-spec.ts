import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAll } from './run-all.js';
import type { Outcome } from './scenario.js';
import { chosen, EVERYDAY } from './scenarios/index.js';

/**
 * The short selection of the disasters: real processes, shortened durations, the same code as `npm run test:faults`. Every accepted push
 * ends as exactly one receipt or one dead letter, whatever dies meanwhile.
 */
const scenarios = chosen(EVERYDAY.map(String));
let folder: string;
let outcomes: Outcome[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchwatch-faults-'));
  outcomes = await runAll(scenarios, { short: true, folder, say: () => undefined });
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(scenarios.map(({ number, name, promise }) => ({ number, name, promise })))(
  '$number $name: $promise',
  ({ number }) => {
    const outcome = outcomes.find(({ scenario }) => scenario === number);
    expect(outcome?.problems).toEqual([]);
    expect(outcome).toMatchObject({ verdict: 'kept', lost: 0, invented: 0 });
    expect(outcome?.accepted).toBeGreaterThan(20);
  },
);
