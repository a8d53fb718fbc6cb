import { QUEUES } from '#libs/contracts';
import { PendingWatch } from '../pending.js';
import type { Stage } from '../stage.js';

/** Every process of ingest and of reporting dies at `point` each time it gets there for the nth time, under load. */
export async function dieAgainAndAgain(stage: Stage, point: string): Promise<void> {
  const { platform } = stage;
  const victims = [...platform.fleet('ingest'), ...platform.fleet('reporting')];
  victims.forEach((victim, i) => {
    const queue = victim.service === 'ingest' ? QUEUES.ingestPushes.name : QUEUES.reportingInventory.name;
    // Not all at the same time: somebody must get on.
    victim.settings = { PATCHWATCH_FAIL_POINTS: `${point}=kill@${8 + 5 * i}~${queue}` };
  });
  const before = victims.map(({ ends }) => ends.length);
  await Promise.all(victims.map((victim) => victim.restart()));
  const deaths = () =>
    victims.reduce((sum, { ends }, i) => sum + ends.slice(before[i]).filter((how) => how === 'SIGKILL').length, 0);
  const watch = new PendingWatch(platform, QUEUES.ingestPushes.name);
  const wanted = stage.scale(30, 3);
  const load = stage.load({
    sites: await stage.sites(stage.scale(100, 30)),
    lanes: 16,
    perSecond: stage.scale(250, 80),
  });
  await stage.until(`${wanted} deaths at ${point}`, () => deaths() >= wanted, 300_000);
  await load.stop();
  for (const victim of victims) victim.settings = {};
  await Promise.all(victims.map((victim) => victim.restart()));
  await stage.settle();
  await watch.stop();
  const dead = await stage.dead();
  stage.check(
    'messages came a second time',
    watch.mostDeliveries >= 2,
    `${deaths()} deaths, at most ${watch.mostDeliveries} deliveries`,
  );
  stage.check('no dead letters', dead.length === 0, dead.slice(0, 3));
}
