import type { Outcome } from './scenario.js';

const COLUMNS = [
  'scenario',
  'accepted',
  'doubtful',
  'receipts',
  'dead',
  'lost',
  'invented',
  'seconds',
  'verdict',
] as const;

/** The report as a table for people, with what is wrong below it. */
export function reportAsText(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) =>
    COLUMNS.map((column) => (column === 'scenario' ? `${outcome.scenario} ${outcome.name}` : String(outcome[column]))),
  );
  const sum = (column: 'accepted' | 'doubtful' | 'receipts' | 'dead' | 'lost' | 'invented' | 'seconds') =>
    String(outcomes.reduce((total, outcome) => total + outcome[column], 0));
  rows.push([
    'all',
    ...(['accepted', 'doubtful', 'receipts', 'dead', 'lost', 'invented', 'seconds'] as const).map(sum),
    isKept(outcomes) ? 'kept' : 'BROKEN',
  ]);
  const widths = COLUMNS.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 || i === cells.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const table = [line(COLUMNS), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)];
  const wrong = outcomes
    .filter(({ problems }) => problems.length > 0)
    .flatMap(({ scenario, name, problems }) => [
      `${scenario} ${name}:`,
      ...problems.map((problem) => `  - ${problem}`),
    ]);
  return [...table, ...(wrong.length > 0 ? ['', ...wrong] : [])].join('\n');
}

/** No identity and no promise is broken. A scenario that was not run breaks nothing, and proves nothing. */
export function isKept(outcomes: readonly Outcome[]): boolean {
  return outcomes.every(({ verdict }) => verdict !== 'broken');
}
