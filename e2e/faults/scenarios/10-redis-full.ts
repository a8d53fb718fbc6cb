import type { Redis } from 'ioredis';
import { QUEUES } from '#libs/contracts';
import { streamKey } from '#libs/streams';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

const MIB = 1024 * 1024;

export const redisFull: Scenario = {
  number: 10,
  name: 'redis-full',
  promise:
    'a slow consumer, Redis near its limit, Redis full: nothing trimmed; admission closes before OOM; acknowledgements and claims work; heals alone',
  async run(stage) {
    const { platform } = stage;
    const streams = platform.streams as Redis;
    const ingests = platform.fleet('ingest');
    const sites = await stage.sites(stage.scale(300, 60));
    for (const ingest of ingests) {
      ingest.settings = { PATCHWATCH_FAIL_POINTS: 'batch.handled=delay:1500~ingest.pushes' };
      await ingest.restart();
    }
    await streams.config('SET', 'maxmemory', String((await usedMemory(stage)) + stage.scale(12, 5) * MIB));
    const oomBefore = await refusals(stage);
    const load = stage.load({ sites, lanes: 48 });
    let fullest = 0;
    const closed = () => [...stage.client.answers.keys()].some((answer) => /queue_busy|queue_closed/.test(answer));
    await stage.until(
      'admission to close',
      async () => {
        fullest = Math.max(fullest, (await usedMemory(stage)) / (await limit(stage)));
        return closed();
      },
      120_000,
    );
    for (let i = 0; i < stage.scale(20, 5); i++) {
      await stage.pass(500);
      fullest = Math.max(fullest, (await usedMemory(stage)) / (await limit(stage)));
    }
    stage.check(
      'admission closes before Redis is full',
      closed() && fullest < 1,
      `at most ${Math.round(fullest * 100)} % full`,
    );
    const oom = (await refusals(stage)) - oomBefore;
    stage.check('Redis never had to refuse', oom === 0, oom);

    // Full from one moment to the next: somebody else filled it.
    const backlog = await length(stage);
    await streams.config('SET', 'maxmemory', String(Math.floor((await usedMemory(stage)) * 0.9)));
    for (const ingest of ingests) ingest.process.signal('SIGKILL');
    for (const ingest of ingests) ingest.settings = {};
    await stage.until(
      'claims and acknowledgements to go on while Redis is full',
      async () => (await length(stage)) < backlog / 2,
      120_000,
    );
    stage.note(`${backlog} entries when it was full, ${await length(stage)} later`);
    await load.stop();
    await stage.pass(stage.scale(5_000, 1_000));
    await streams.config('SET', 'maxmemory', '0');
    const took = await stage.settle();
    stage.note(`healed alone in ${took} ms`);
  },
};

async function usedMemory(stage: Stage): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await stage.platform.streams.info('memory'))?.[1]);
}

async function limit(stage: Stage): Promise<number> {
  return Number(/maxmemory:(\d+)/.exec(await stage.platform.streams.info('memory'))?.[1]);
}

/** How often Redis has answered OOM. */
async function refusals(stage: Stage): Promise<number> {
  return Number(/errorstat_OOM:count=(\d+)/.exec(await stage.platform.streams.info('errorstats'))?.[1] ?? 0);
}

async function length(stage: Stage): Promise<number> {
  let sum = 0;
  for (let partition = 0; partition < stage.platform.partitions; partition++) {
    sum += await stage.platform.streams.xlen(streamKey(QUEUES.ingestPushes.name, partition));
  }
  return sum;
}
