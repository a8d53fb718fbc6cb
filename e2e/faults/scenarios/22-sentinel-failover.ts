import { checkAnswers } from '../answers.js';
import { sentinelTopology, type SentinelTopology } from '../platform/topologies.js';
import type { Scenario } from '../scenario.js';

export const sentinelFailover: Scenario = {
  number: 22,
  name: 'sentinel-failover',
  promise:
    'the master of three is killed under load, replicas are waited for (WAIT 1): a new one leads, nothing accepted is lost',
  platform: {
    streams: sentinelTopology,
    env: { PATCHWATCH_STREAMS_REPLICAS: '1' },
  },
  async run(stage) {
    const topology = stage.platform.topology as SentinelTopology;
    const load = stage.load({
      sites: await stage.sites(stage.scale(150, 40)),
      lanes: 24,
      perSecond: stage.scale(250, 80),
    });
    let slowest = 0;
    for (let round = 0; round < stage.scale(3, 1); round++) {
      await stage.pass(5_000);
      const old = await topology.master();
      await old.kill9();
      await stage.until('another master to lead', async () => (await topology.master()) !== old, 60_000);
      const before = stage.ledger.accepted;
      slowest = Math.max(
        slowest,
        await stage.until('pushes to be accepted again', () => stage.ledger.accepted > before, 60_000),
      );
      // It comes back as a replica: the sentinels see to that.
      await old.restart();
      await stage.pass(4_000);
    }
    await load.stop();
    stage.check('pushes are accepted within 10 s of the failover', slowest < 10_000, `${slowest} ms`);
    checkAnswers(stage);
  },
};
