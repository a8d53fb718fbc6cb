import { join } from 'node:path';
import { Platform, type PlatformOptions } from './platform/platform.js';
import { notRun, runScenario } from './run-scenario.js';
import { tuningSettings, type Outcome, type RunOptions, type Scenario } from './scenario.js';

/** What the scenarios share, unless one asks for another. */
const PROCESSES: PlatformOptions['processes'] = { gateway: 2, ingest: 2, reporting: 1 };

/**
 * Plays scenarios one after the other. Those that ask for nothing special share a platform, as long as it comes out of each unbroken: a
 * broken identity would show again in the next one's accounts.
 */
export async function runAll(
  scenarios: readonly Scenario[],
  options: RunOptions,
  onOutcome: (outcome: Outcome) => void = () => undefined,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let platform: Platform | undefined;
  let standing: Scenario['platform'];
  try {
    for (const scenario of scenarios) {
      const outcome = await play(scenario);
      outcomes.push(outcome);
      onOutcome(outcome);
    }
  } finally {
    await platform?.stop();
  }
  return outcomes;

  async function play(scenario: Scenario): Promise<Outcome> {
    if (scenario.needsOwnPostgres && !process.env['PATCHWATCH_FAULTS_POSTGRES']) {
      return notRun(scenario, 'it kills Postgres, and there is only one that others use: run `npm run test:faults`');
    }
    options.say(`${scenario.number} ${scenario.name}: ${scenario.promise}`);
    try {
      if (platform === undefined || standing !== scenario.platform) {
        await platform?.stop();
        platform = undefined;
        platform = await Platform.start({
          ...scenario.platform,
          folder: join(options.folder, `platform-of-${scenario.number}`),
          processes: { ...PROCESSES, ...scenario.platform?.processes },
          env: { ...tuningSettings(options.short), ...scenario.platform?.env },
        });
        standing = scenario.platform;
      }
      const outcome = await runScenario(platform, scenario, options);
      if (outcome.verdict === 'broken') {
        const broken = platform;
        platform = undefined;
        await broken.stop();
      }
      return outcome;
    } catch (error) {
      return { ...notRun(scenario, `the platform did not come up: ${(error as Error).message}`), verdict: 'broken' };
    }
  }
}
