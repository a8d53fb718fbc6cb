import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { balanceOf, brokenIdentities, type Balance } from './identity.js';
import type { Platform } from './platform/platform.js';
import type { RunOptions } from './run-options.js';
import type { Outcome, Scenario } from './scenario.js';
import { Stage } from './stage.js';

const NOTHING: Balance = { accepted: 0, doubtful: 0, receipts: 0, dead: 0, lost: 0, invented: 0 };

/** Plays one scenario and does its accounts. Never rejects: what goes wrong is in the outcome. */
export async function runScenario(platform: Platform, scenario: Scenario, options: RunOptions): Promise<Outcome> {
  const started = performance.now();
  const folder = join(options.folder, `${String(scenario.number).padStart(2, '0')}-${scenario.name}`);
  mkdirSync(folder, { recursive: true });
  const problems: string[] = [];
  let balance = NOTHING;
  let notes: readonly string[] = [];
  let stage: Stage | undefined;
  try {
    await platform.restore();
    stage = await Stage.open(platform, scenario.name, { ...options, folder });
    await scenario.run(stage).catch((error: unknown) => problems.push(`it broke off: ${messageOf(error)}`));
    await stage.stopLoads();
    await platform.restore();
    await stage.settle();
    await stage.close();
    const facts = await stage.facts();
    balance = balanceOf(facts);
    problems.push(...brokenIdentities(facts).map(({ identity, what }) => `${identity}: ${what}`));
    if (balance.accepted === 0) problems.push('not one push was accepted: nothing is proven');
  } catch (error) {
    problems.push(`the harness failed: ${messageOf(error)}`);
  }
  if (stage !== undefined) {
    problems.unshift(...stage.problems);
    notes = stage.notes;
  }
  const unique = [...new Set(problems)];
  return {
    scenario: scenario.number,
    name: scenario.name,
    ...balance,
    seconds: Math.round((performance.now() - started) / 1_000),
    verdict: unique.length === 0 ? 'kept' : 'broken',
    problems: unique,
    notes,
  };
}

/** The line of a scenario that was left out, with the reason. */
export function notRun(scenario: Pick<Scenario, 'number' | 'name'>, why: string): Outcome {
  return {
    scenario: scenario.number,
    name: scenario.name,
    ...NOTHING,
    seconds: 0,
    verdict: 'not run',
    problems: [why],
    notes: [],
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' | ') : String(error);
}
