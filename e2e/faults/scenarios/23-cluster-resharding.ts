import { checkAnswers } from '../answers.js';
import { QUEUES } from '#libs/contracts';
import { streamKey } from '#libs/streams';
import { clusterTopology, type ClusterTopology } from '../platform/topologies.js';
import type { Scenario } from '../scenario.js';

export const clusterResharding: Scenario = {
  number: 23,
  name: 'cluster-resharding',
  promise:
    'the streams on a cluster of three shards move from node to node under load: nothing is lost, nothing comes to a stop',
  platform: { streams: clusterTopology },
  async run(stage) {
    const topology = stage.platform.topology as ClusterTopology;
    const load = stage.load({
      sites: await stage.sites(stage.scale(150, 40)),
      lanes: 24,
      perSecond: stage.scale(250, 80),
    });
    await stage.pass(2_000);
    const keys = Object.values(QUEUES).flatMap(({ name, partitioned }) =>
      Array.from({ length: partitioned ? stage.platform.partitions : 1 }, (_, partition) => streamKey(name, partition)),
    );
    let moved = 0;
    for (let round = 0; round < stage.scale(4, 1); round++) {
      for (const key of keys) {
        await topology.move(key);
        moved++;
        await stage.pass(stage.scale(1_000, 300));
      }
    }
    const before = stage.ledger.accepted;
    await stage.until('pushes to be accepted after the moves', () => stage.ledger.accepted > before);
    await load.stop();
    stage.note(`${moved} slots moved`);
    checkAnswers(stage);
  },
};
