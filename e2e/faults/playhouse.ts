import { join } from 'node:path';
import { Platform, type PlatformOptions } from './platform/platform.js';
import { tuningSettings, type RunOptions } from './run-options.js';
import { notRun, runScenario } from './run-scenario.js';
import type { Outcome, Scenario } from './scenario.js';

/** What the scenarios share, unless one asks for another. */
const PROCESSES: PlatformOptions['processes'] = { gateway: 2, ingest: 2, reporting: 1 };

/**
 * Plays scenarios one after the other. Those that ask for nothing special share a platform, as long as it comes out of each unbroken: a
 * broken identity would show again in the next one's accounts.
 */
export class Playhouse {
  private platform: Platform | undefined;
  private standing: Scenario['platform'];

  constructor(private readonly options: RunOptions) {}

  /** Never rejects: what goes wrong is in the outcome. */
  async play(scenario: Scenario): Promise<Outcome> {
    if (scenario.needsOwnPostgres && !process.env['PATCHWATCH_FAULTS_POSTGRES']) {
      return notRun(scenario, 'it kills Postgres, and there is only one that others use: run `npm run test:faults`');
    }
    this.options.say(`${scenario.number} ${scenario.name}: ${scenario.promise}`);
    try {
      const outcome = await runScenario(await this.platformFor(scenario), scenario, this.options);
      if (outcome.verdict === 'broken') await this.close();
      return outcome;
    } catch (error) {
      return { ...notRun(scenario, `the platform did not come up: ${(error as Error).message}`), verdict: 'broken' };
    }
  }

  async close(): Promise<void> {
    const { platform } = this;
    this.platform = undefined;
    await platform?.stop();
  }

  private async platformFor(scenario: Scenario): Promise<Platform> {
    if (this.platform !== undefined && this.standing === scenario.platform) return this.platform;
    await this.close();
    this.platform = await Platform.start({
      ...scenario.platform,
      folder: join(this.options.folder, `platform-of-${scenario.number}`),
      processes: { ...PROCESSES, ...scenario.platform?.processes },
      env: { ...tuningSettings(this.options.short), ...scenario.platform?.env },
    });
    this.standing = scenario.platform;
    return this.platform;
  }
}
