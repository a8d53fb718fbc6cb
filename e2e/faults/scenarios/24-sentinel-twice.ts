import { checkAnswers } from '../answers.js';
import { sentinelTopology, type SentinelTopology } from '../platform/topologies.js';
import type { Scenario } from '../scenario.js';

/** A sentinel begins no second failover within twice its failover-timeout of the first (`sentinelTopology`: 6 s); more for a busy machine. */
const SECOND_MS = 90_000;

/**
 * One confirming replica is not enough here: whoever takes over may be the one that confirmed, and die before the other has caught up.
 * With all of them confirming, the last one left has everything that was accepted; in exchange nothing is accepted until all are back.
 */
export const sentinelTwice: Scenario = {
  number: 24,
  name: 'sentinel-twice',
  promise:
    'the master is killed, and its successor as soon as it leads, with all replicas waited for (WAIT 2): nothing accepted is lost',
  platform: {
    streams: sentinelTopology,
    env: { PATCHWATCH_STREAMS_REPLICAS: '2' },
  },
  async run(stage) {
    const topology = stage.platform.topology as SentinelTopology;
    const load = stage.load({
      sites: await stage.sites(stage.scale(150, 40)),
      lanes: 24,
      perSecond: stage.scale(250, 80),
    });
    for (let round = 0; round < stage.scale(2, 1); round++) {
      await stage.pass(4_000);
      const first = await topology.master();
      await first.kill9();
      await stage.until('a second master to lead', async () => (await topology.master()) !== first, 60_000);
      const second = await topology.master();
      await second.kill9();
      const others = [first, second];
      await stage.until('the last one to lead', async () => !others.includes(await topology.master()), SECOND_MS);
      await first.restart();
      await second.restart();
      const before = stage.ledger.accepted;
      const took = await stage.until('pushes to be accepted again', () => stage.ledger.accepted > before, 60_000);
      stage.note(`accepted again ${took} ms after all were back`);
    }
    await load.stop();
    checkAnswers(stage);
  },
};
