// How long it takes from a publication at Drupal.org until exposures stand open, and how many requests that costs: a Wednesday in virtual time,
// with the catalog's own loop, leases, beat and gates, 10,000 followed projects, and a stand-in for Drupal.org. Exits with 1 when an exposure
// opened later than promised (2 minutes in Drupal's security window, 15 minutes otherwise), did not open, or a host was asked too fast.
import { upstreamSettings } from '../../apps/catalog/src/upstream/upstream-settings.js';
import { judge, seconds, type Judgement } from './freshness/judge.js';
import { publicationsBetween } from './freshness/publications.js';
import { projectName, simulate } from './freshness/simulate.js';

const PROJECTS = Number(process.env['PATCHWATCH_BENCH_PROJECTS'] ?? 10_000);
const DAY = '2026-03-04';
const from = `${DAY}T06:00:00Z`;
const until = `${DAY}T23:30:00Z`;
const MINUTE = 60_000;

const modules = Array.from({ length: 200 }, (_, place) => projectName(Math.floor((place * (PROJECTS - 1)) / 200)));
const publications = [
  ...publicationsBetween(
    { from: `${DAY}T08:00:00Z`, until: `${DAY}T14:55:00Z`, everyMs: 7 * MINUTE },
    modules.slice(0, 70),
    1,
  ),
  ...publicationsBetween(
    { from: `${DAY}T15:00:00Z`, until: `${DAY}T18:55:00Z`, everyMs: 4 * MINUTE },
    modules.slice(70, 140),
    1001,
  ),
  ...publicationsBetween(
    { from: `${DAY}T19:00:00Z`, until: `${DAY}T23:10:00Z`, everyMs: 7 * MINUTE },
    modules.slice(140),
    2001,
  ),
];

const begun = performance.now();
const outcome = await simulate({
  projects: PROJECTS,
  sites: Math.ceil(PROJECTS / 100),
  from,
  until,
  publications,
  progress: (now) => console.log(`… ${now.toISOString().slice(0, 16)} (${seconds(performance.now() - begun)} s)`),
});
const { ratePerSecond, concurrency, advisoryConcurrency } = upstreamSettings('https://updates.drupal.org');
const judgement = judge(outcome, PROJECTS, ratePerSecond);
print(judgement);
process.exitCode = judgement.broken.length === 0 ? 0 : 1;

function print({ window, otherwise, hosts, broken }: Judgement): void {
  console.log(
    `\n${PROJECTS} projects, ${publications.length} publications, ${from} to ${until}, in ${seconds(performance.now() - begun)} s`,
  );
  console.log(
    `limits: ${ratePerSecond} requests a second and host, ${concurrency} at once (${advisoryConcurrency} to the host of advisories)\n`,
  );
  console.log('from publication to exposures opened, s | publications |  p95 |  max | promised');
  for (const [name, spread, promised] of [
    ['in the security window', window, '< 120'],
    ['otherwise', otherwise, '< 900'],
  ] as const) {
    const figures = [
      String(spread.publications).padStart(12),
      seconds(spread.p95Ms).padStart(4),
      seconds(spread.maxMs).padStart(4),
    ];
    console.log(`${name.padEnd(39)} | ${figures.join(' | ')} | ${promised}`);
  }
  console.log('\nrequests per hour (UTC) | release histories | advisories');
  for (const hour of hosts.histories.perHour.keys()) {
    const counts = [hosts.histories, hosts.advisories].map(({ perHour }) => String(perHour.get(hour) ?? 0));
    console.log(`${hour.slice(11).padEnd(23)} | ${counts[0]!.padStart(17)} | ${counts[1]!.padStart(10)}`);
  }
  const busiest = [hosts.histories, hosts.advisories].map(({ busiestTenSeconds }) => busiestTenSeconds);
  console.log(`busiest ten seconds     | ${String(busiest[0]).padStart(17)} | ${String(busiest[1]).padStart(10)}`);
  for (const sentence of broken) console.log(`BROKEN: ${sentence}`);
}
