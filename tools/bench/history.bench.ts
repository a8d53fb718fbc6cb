// Measures what a changed inventory costs reporting when its site has changed 10, 100 and 400 times before, with row-level security as in
// production. Sites change two modules at a time: most like those of `npm run test:faults` (core goes to a version with known holes and
// back), some never leave unsafe versions, some were exposed and go from one snapshot that nobody can judge to the next. Sites with much and with
// little history take turns, batch by batch, so that what else the machine does hits all alike. Exits with 1 when those of the first two kinds that
// have changed 400 times are stored at less than 75 % of the rate of those that have changed 10 times.
// PATCHWATCH_BENCH_STATEMENTS=1 prints where the time goes, statement by statement.
import { performance } from 'node:perf_hooks';
import type { EntityManager } from 'typeorm';
import type { InventoryChanged } from '#libs/contracts';
import { advisory, change, inventory, organization, releases, site } from '../../apps/reporting/test/facts.js';
import { ReportingBox } from '../../apps/reporting/test/reporting-box.js';

/** Sites of a kind and of a length of history; as many as messages that a consumer takes at once. */
const SITES = Number(process.env['PATCHWATCH_BENCH_SITES'] ?? 64);
const WITH_STATEMENTS = Boolean(process.env['PATCHWATCH_BENCH_STATEMENTS']);
const AFTER = (process.env['PATCHWATCH_BENCH_CHANGES'] ?? '10,100,400').split(',').map(Number);
/** Changes of every site that are measured; a multiple of the rhythm in which core changes. */
const MEASURED = 20;
/** Changes of a site in one batch while history is made. */
const AT_ONCE = 5;
const TARGET_SHARE = 0.75;

type Changes = InventoryChanged['changes'];

interface Fleet {
  readonly name: string;
  /** What the `round`th inventory changes; the first brings everything. */
  changes(round: number): Changes;
  readonly hasTarget: boolean;
}

const TOKEN = 'token';
const UNSAFE_CORES = ['10.2.7', '10.2.8'];
const fleets: readonly Fleet[] = [
  { name: 'as the sites of the disasters', changes: ofDisasters, hasTarget: true },
  {
    name: 'never on a safe version of core',
    changes: (round) => [change('drupal', UNSAFE_CORES[round % 2]!), change(TOKEN, `8.x-1.${10 + (round % 5)}`)],
    hasTarget: true,
  },
  {
    name: 'exposed, then on snapshots that nobody can judge',
    changes: (round) => [snapshot(round), change(TOKEN, `8.x-1.${10 + (round % 5)}`)],
    hasTarget: false,
  },
];

/** The inventories of `e2e/faults/site-agent.ts`, of which only what differs from the one before is told. */
function ofDisasters(round: number): Changes {
  const versionsAt = (version: number): [string, string][] => [
    ...['alpha', 'beta', 'gamma'].map((name, i): [string, string] => [
      `harness_${name}`,
      `1.${i === 0 ? version : (version >> (2 * i)) % 50}.0`,
    ]),
    [TOKEN, `8.x-1.${10 + (version % 5)}`],
    ['drupal', version % 10 === 9 ? '10.2.7' : '11.2.9'],
  ];
  const before = new Map(round === 1 ? [] : versionsAt(round - 1));
  return versionsAt(round)
    .filter(([module, version]) => before.get(module) !== version)
    .map(([module, version]) => change(module, version));
}

function snapshot(round: number) {
  if (round === 1) return change('webform', '8.x-5.1');
  const installed = { version: '8.x-5.x-dev', datestamp: 1_700_000_000 + round, state: 'enabled' as const };
  return change('webform', null, { installed });
}

const missed: string[] = [];

const box = await ReportingBox.openAsService();
try {
  await load();
  for (const [index, fleet] of fleets.entries()) await measure(fleet, 1 + index * 10_000);
} finally {
  await box.close();
}
for (const what of missed) console.log(`MISSED: ${what}`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function load(): Promise<void> {
  await box.register(organization());
  const list = (versions: readonly string[], terms: readonly string[] = []) =>
    versions.map((version) => ({ version, date: '2024-01-15', terms }));
  await box.tell(
    releases('drupal', '10.2.,11.2.', list(['11.2.9', '10.2.8', '10.2.7'])),
    releases(TOKEN, '8.x-1.', list(['8.x-1.14', '8.x-1.13', '8.x-1.12', '8.x-1.11', '8.x-1.10'])),
    releases('webform', '8.x-5.', [
      { version: '8.x-5.2', date: '2025-02-01', terms: ['Security update'] },
      { version: '8.x-5.1', date: '2025-01-01', terms: ['Insecure'] },
    ]),
    ...Array.from({ length: 8 }, (_, index) =>
      advisory(`SA-CORE-2025-00${index + 1}`, 'drupal', '<10.3.0', '2025-05-20T17:00:00Z'),
    ),
  );
}

async function measure(fleet: Fleet, firstSite: number): Promise<void> {
  const parts = AFTER.map((after, index) => ({
    after,
    ids: Array.from({ length: SITES }, (_, i) => firstSite + index * 1_000 + i),
    milliseconds: 0,
    statements: new Map<string, number>(),
  }));
  for (const { after, ids } of parts) {
    await box.register(...ids.map((id) => site(id)));
    for (let round = 1; round <= after; round += AT_ONCE)
      await push(fleet, ids, round, Math.min(after, round + AT_ONCE - 1));
  }
  for (let more = 1; more <= MEASURED; more++) {
    for (const part of parts) {
      const started = performance.now();
      await push(fleet, part.ids, part.after + more, part.after + more, WITH_STATEMENTS ? part.statements : undefined);
      part.milliseconds += performance.now() - started;
    }
  }
  const rates = parts.map(({ milliseconds }) => (SITES * MEASURED * 1000) / milliseconds);
  const share = rates.at(-1)! / rates[0]!;
  const told = rates.map((rate, index) => `after ${AFTER[index]} changes ${rate.toFixed(0).padStart(5)}`).join(', ');
  console.log(`${fleet.name.padEnd(48)} inventories a second: ${told} (${(share * 100).toFixed(0)} %)`);
  if (fleet.hasTarget && share < TARGET_SHARE)
    missed.push(`${fleet.name}: ${(share * 100).toFixed(0)} % of the rate, target ${TARGET_SHARE * 100} %`);
  if (WITH_STATEMENTS) printStatements(parts.map(({ statements }) => statements));
}

/** Inventories `from` to `to` of the sites in one transaction. */
async function push(
  fleet: Fleet,
  ids: readonly number[],
  from: number,
  to: number,
  statements?: Map<string, number>,
): Promise<void> {
  const batch: InventoryChanged[] = [];
  for (let round = from; round <= to; round++) {
    const changes = fleet.changes(round);
    const more = { previous_observed_at: round === 1 ? null : at(round - 1), core_version: '11.2.9' };
    batch.push(...ids.map((id) => inventory(id, round, at(round), changes, more)));
  }
  await box.run((tx) => box.inventories.store(statements ? timed(tx, statements) : tx, batch, []));
}

/** Five seconds between the inventories of a site. */
function at(round: number): string {
  return new Date(Date.UTC(2026, 0, 1) + round * 5_000).toISOString();
}

/** The transaction, with its statements' times noted. */
function timed(tx: EntityManager, into: Map<string, number>): EntityManager {
  return new Proxy(tx, {
    get: (target, member) => {
      if (member !== 'query') return Reflect.get(target, member) as unknown;
      return async (sql: string, parameters?: unknown[]): Promise<unknown> => {
        const started = performance.now();
        const answer: unknown = await target.query(sql, parameters);
        const name = sql.replace(/\s+/g, ' ').trim().slice(0, 110);
        into.set(name, (into.get(name) ?? 0) + performance.now() - started);
        return answer;
      };
    },
  });
}

function printStatements(times: readonly Map<string, number>[]): void {
  for (const name of times[0]!.keys()) {
    const each = times.map((one) => ((one.get(name) ?? 0) / MEASURED).toFixed(2).padStart(8)).join('');
    console.log(`  ${each} ms a batch  ${name}`);
  }
}
