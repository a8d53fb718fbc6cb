import { checkAnswers } from '../answers.js';
import type { Scenario } from '../scenario.js';

export const redisKilled: Scenario = {
  number: 4,
  name: 'redis-killed',
  promise: 'kill -9 of Redis under load: only 503 in the gap; recovery under 5 s',
  async run(stage) {
    const { redis } = stage.platform;
    const load = stage.load({
      sites: await stage.sites(stage.scale(200, 40)),
      lanes: 32,
      perSecond: stage.scale(500, 80),
    });
    let slowest = 0;
    for (let kill = 0; kill < stage.scale(5, 2); kill++) {
      await stage.pass(stage.scale(5_000, 1_500));
      await redis.kill9();
      await stage.pass(stage.scale(3_000, 1_000));
      let accepted = false;
      const forget = stage.onAnswer(({ status }) => {
        if (status === 202) accepted = true;
      });
      await redis.restart();
      slowest = Math.max(slowest, await stage.until('a push to be accepted again', () => accepted, 60_000));
      forget();
    }
    await stage.pass(stage.scale(3_000, 1_000));
    await load.stop();
    stage.check('recovery under 5 s', slowest < stage.within(5_000), `${slowest} ms`);
    checkAnswers(stage);
    const refused = [...stage.client.answers.keys()].some((name) => name.startsWith('503'));
    stage.check('there was a gap', refused);
  },
};
