import { QUEUES } from '#libs/contracts';
import { pendingOn } from '../pending.js';
import type { Scenario } from '../scenario.js';

/** The reaper looks this often at most, in milliseconds (1.5 s and its jitter). */
const REAPER_MS = 1_900;
/** A message that was in dead hands is handled alone, in a transaction of its own: one may be what killed them. In milliseconds. */
const ALONE_MS = 25;
/** For starting processes on a busy machine. */
const GRACE_MS = 3_000;

export const consumersKilled: Scenario = {
  number: 1,
  name: 'consumers-killed',
  promise: 'kill -9 of a random consumer every second: reclaimed within lease and reaper period; no dead letters',
  async run(stage) {
    const { platform, tuning } = stage;
    const load = stage.load({
      sites: await stage.sites(stage.scale(200, 40)),
      lanes: 32,
      perSecond: stage.scale(500, 80),
    });
    const victims = (['ingest', 'reporting', 'catalog'] as const).flatMap((service) => platform.fleet(service));
    const end = performance.now() + stage.scale(60_000, 4_000);
    let kills = 0;
    while (performance.now() < end) {
      await stage.pass(1_000);
      const running = victims.filter(({ process }) => process.running);
      const victim = running[Math.floor(Math.random() * running.length)];
      if (victim === undefined) continue;
      victim.process.signal('SIGKILL');
      kills++;
    }
    await load.stop();
    await Promise.all(victims.map((victim) => victim.ready()));
    const left = await pendingOn(platform, QUEUES.ingestPushes.name);
    const deliveries = Math.max(1, ...left.map((entry) => entry.deliveries));
    const bound = stage.within(tuning.leaseMs * 2 ** (deliveries - 1) + REAPER_MS + GRACE_MS + left.length * ALONE_MS);
    // Those and no others: what the living hold meanwhile comes and goes.
    const held = new Set(left.map(({ id }) => id));
    const took = await stage.until(
      'what the dead held to be reclaimed',
      async () => !(await pendingOn(platform, QUEUES.ingestPushes.name)).some(({ id }) => held.has(id)),
      2 * bound,
    );
    stage.check(
      `what the dead held is reclaimed within ${bound} ms`,
      took <= bound,
      `${took} ms after ${kills} kills, ${left.length} entries left`,
    );
    await stage.settle();
    const dead = await stage.dead();
    stage.check('no dead letters', dead.length === 0, dead.length);
  },
};
