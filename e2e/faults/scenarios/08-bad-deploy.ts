import { inParallel } from '../../../tools/cli/api-client.js';
import type { Scenario } from '../scenario.js';

/** Promised: a fault of ours buries no more than this. */
const MOST_DEAD = 50;

export const badDeploy: Scenario = {
  number: 8,
  name: 'bad-deploy',
  promise: 'a deploy that throws for everything: the breaker stops after at most 50; after the fix all is applied',
  async run(stage) {
    const { platform } = stage;
    const ingests = platform.fleet('ingest');
    const sites = await stage.sites(stage.scale(150, 40));
    for (const ingest of ingests) {
      ingest.settings = { PATCHWATCH_FAIL_POINTS: 'message=throw~gateway.push-received' };
      await ingest.restart();
    }
    const pushes = Array.from({ length: stage.scale(3_000, 300) }, (_, i) =>
      sites[i % sites.length]!.next(i % 3 === 0 ? 'unchanged' : 'changed'),
    );
    await inParallel(pushes, 32, async (push) => {
      await stage.until('a push to be accepted', async () => (await stage.client.send(push)).status === 202);
    });
    await stage.until(
      'the breakers to open',
      async () => {
        const open = await Promise.all(ingests.map((ingest) => ingest.metric('patchwatch_queue_breaker_open')));
        return open.every((level) => (level ?? 0) > 0);
      },
      60_000,
    );
    const red = (await Promise.all(ingests.map((ingest) => ingest.isReady()))).every((ready) => !ready);
    stage.check('health is red while the breaker is open', red);
    await stage.pass(stage.scale(15_000, 3_000));
    const dead = (await stage.dead()).length;
    stage.check(`at most ${MOST_DEAD} are dead`, dead <= MOST_DEAD, dead);
    for (const ingest of ingests) {
      ingest.settings = {};
      await ingest.restart();
    }
    await stage.settle();
    const after = (await stage.dead()).length;
    stage.check('after the fix nobody else dies', after === dead, `${after} dead`);
  },
};
