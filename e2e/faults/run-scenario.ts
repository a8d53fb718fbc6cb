import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { within } from '../harness/within.js';
import { balanceOf, brokenIdentities, type Balance } from './identity.js';
import type { Platform } from './platform/platform.js';
import type { RunOptions } from './run-options.js';
import type { Outcome, Scenario } from './scenario.js';
import { Stage } from './stage.js';

const NOTHING: Balance = { accepted: 0, doubtful: 0, receipts: 0, dead: 0, lost: 0, invented: 0 };

/** A scenario that takes longer than this will not end: it is given up. In milliseconds; some times what the slowest takes. */
const LIMIT_MS = { full: 12 * 60_000, short: 4 * 60_000 };

/** Plays one scenario and does its accounts. Ends in bounded time and never rejects: what goes wrong is in the outcome. */
export async function runScenario(platform: Platform, scenario: Scenario, options: RunOptions): Promise<Outcome> {
  const started = performance.now();
  const folder = join(options.folder, `${String(scenario.number).padStart(2, '0')}-${scenario.name}`);
  mkdirSync(folder, { recursive: true });
  const problems: string[] = [];
  let balance = NOTHING;
  const on: { stage?: Stage } = {};
  const play = async (): Promise<void> => {
    await platform.restore();
    const stage = await Stage.open(platform, scenario.name, { ...options, folder });
    on.stage = stage;
    await scenario.run(stage).catch((error: unknown) => problems.push(`it broke off: ${messageOf(error)}`));
    await stage.stopLoads();
    await platform.restore();
    await stage.settle();
    await stage.close();
    const facts = await stage.facts();
    balance = balanceOf(facts);
    problems.push(...brokenIdentities(facts).map(({ identity, what }) => `${identity}: ${what}`));
    if (balance.accepted === 0) problems.push('not one push was accepted: nothing is proven');
  };
  const limit = options.limitMs ?? (options.short ? LIMIT_MS.short : LIMIT_MS.full);
  try {
    await within(limit, 'the scenario to end', play());
  } catch (error) {
    problems.push(
      `the harness failed: ${messageOf(error)}; it waited last for ${on.stage?.waitingFor ?? 'its platform'}`,
    );
    on.stage?.abandon();
  }
  problems.unshift(...(on.stage?.problems ?? []));
  const unique = [...new Set(problems)];
  return {
    scenario: scenario.number,
    name: scenario.name,
    ...balance,
    seconds: Math.round((performance.now() - started) / 1_000),
    verdict: unique.length === 0 ? 'kept' : 'broken',
    problems: unique,
    notes: [...(on.stage?.notes ?? [])],
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
