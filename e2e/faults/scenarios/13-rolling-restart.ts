import { QUEUES } from '#libs/contracts';
import { PendingWatch } from '../pending.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

/** Promised: of all messages no more than this share comes twice. */
const MOST_REPEATED = 0.01;

export const rollingRestart: Scenario = {
  number: 13,
  name: 'rolling-restart',
  promise:
    'rolling restart of everything under load, SIGTERM in a long batch: under 1 % duplicates, no reclaims; pools close last',
  async run(stage) {
    const { platform } = stage;
    const load = stage.load({
      sites: await stage.sites(stage.scale(200, 40)),
      lanes: 24,
      perSecond: stage.scale(400, 120),
    });
    await stage.pass(2_000);
    const watch = new PendingWatch(platform, QUEUES.ingestPushes.name, 100);
    const ends: (number | NodeJS.Signals | null)[] = [];
    let again = 0;
    for (let round = 0; round < stage.scale(3, 1); round++) {
      for (const instance of platform.all) {
        again += instance.service === 'ingest' ? await claimed(stage) : 0;
        ends.push(await instance.restart());
        await stage.pass(500);
      }
    }
    stage.check(
      'every process ends in order',
      ends.every((how) => how === 0),
      ends,
    );
    await longBatch(stage);
    await load.stop();
    await stage.settle();
    await watch.stop();
    again += await claimed(stage);
    const share = again / Math.max(1, stage.ledger.accepted);
    stage.check('under 1 % of messages come twice', share < MOST_REPEATED, `${again} of ${stage.ledger.accepted}`);
    stage.check('nothing is reclaimed from the dead', watch.mostDeliveries <= 1, `${watch.mostDeliveries} deliveries`);
  },
};

/** SIGTERM while a batch takes long: it is finished, committed and acknowledged before the process ends. */
async function longBatch(stage: Stage): Promise<void> {
  const [ingest] = stage.platform.fleet('ingest');
  const takes = stage.scale(6_000, 2_500);
  ingest!.settings = { PATCHWATCH_FAIL_POINTS: `batch.handled=delay:${takes}~${QUEUES.ingestPushes.name}` };
  await ingest!.restart();
  await stage.pass(takes / 2);
  ingest!.settings = {};
  const started = performance.now();
  const how = await ingest!.restart();
  stage.check(
    'SIGTERM in a long batch: the process ends in order',
    how === 0,
    `${how} after ${Math.round(performance.now() - started)} ms`,
  );
}

/** Messages of the pushes' queue that some process of ingest took over since it was started. */
async function claimed(stage: Stage): Promise<number> {
  const counts = await Promise.all(stage.platform.fleet('ingest').map((one) => one.metric('patchwatch_claimed_total')));
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0) / stage.platform.fleet('ingest').length;
}
