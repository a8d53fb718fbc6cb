import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isKept, reportAsText } from './report.js';
import { Playhouse } from './playhouse.js';
import type { Outcome } from './scenario.js';
import { chosen, EVERYDAY } from './scenarios/index.js';

const USAGE = `npm run test:faults                     every scenario
npm run test:faults -- 4 poison         those with these numbers, or with this in their names
  --short      shortened durations, same code
  --everyday   the short selection of npm test
  --json       the report as JSON on standard output; the course of things goes to standard error
  --folder <f> where books and logs go; default .data/faults`;

/** The command. @returns exit code: 0 when every identity and every promise held */
export async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const at = args.indexOf('--folder');
  const folder = at >= 0 ? args[at + 1]! : join(process.cwd(), '.data', 'faults');
  const flags = new Set(args.filter((arg) => arg.startsWith('--')));
  const words = args.filter((arg, i) => !arg.startsWith('--') && (at < 0 || i !== at + 1));
  const json = flags.has('--json');
  const started = performance.now();
  const say = (text: string): void => {
    const seconds = ((performance.now() - started) / 1_000).toFixed(1).padStart(6);
    (json ? process.stderr : process.stdout).write(`[${seconds} s] ${text}\n`);
  };
  mkdirSync(folder, { recursive: true });
  // Every server of every platform sees to its own end.
  process.setMaxListeners(0);
  // What was started ends with this process; without this a signal would end it without a word.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));
  const everyday = flags.has('--everyday');
  const scenarios = chosen(everyday ? EVERYDAY.map(String) : words);
  const playhouse = new Playhouse({ short: everyday || flags.has('--short'), folder, say });
  const outcomes: Outcome[] = [];
  const write = (): void => {
    writeFileSync(join(folder, 'report.json'), `${JSON.stringify({ kept: isKept(outcomes), outcomes }, null, 2)}\n`);
  };
  for (const scenario of scenarios) {
    const outcome = await playhouse.play(scenario);
    outcomes.push(outcome);
    // After each: a run that is interrupted has its report, too.
    write();
    say(`  ${outcome.verdict} after ${outcome.seconds} s`);
    for (const problem of outcome.problems) say(`  - ${problem}`);
  }
  await playhouse.close();
  const report = { kept: isKept(outcomes), outcomes };
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : `\n${reportAsText(outcomes)}\n`);
  return report.kept ? 0 : 1;
}
