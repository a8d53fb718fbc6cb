import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { QUEUES } from '#libs/contracts';
import { GROUP, streamKey } from '#libs/streams';
import type { Platform } from '../platform/platform.js';
import type { Scenario } from '../scenario.js';
import type { SiteAgent } from '../site-agent.js';
import type { Stage } from '../stage.js';

/** Idle readers of all queues ask about once a second each, and look after things now and then. */
const COMMANDS_A_SECOND = 400;

export const redisEmptied: Scenario = {
  number: 5,
  name: 'redis-emptied',
  promise:
    'Redis loses everything while readers block: groups come back at 0, no hot loop, what was lost is named, next pushes heal',
  async run(stage) {
    const sites = await stage.sites(stage.scale(60, 15));
    for (const damage of [flushed, deleted, restartedEmpty]) {
      await withBacklog(stage, sites, damage);
      await healed(stage, sites, damage.name);
    }
    const before = stage.named.length;
    await withBacklog(stage, sites, groupDestroyed);
    await healed(stage, sites, groupDestroyed.name);
    stage.check('a destroyed group loses nothing', stage.named.length === before);
    stage.check('something was lost, and is named', before > 0, `${before} push ids`);
  },
};

/** Piles pushes up while ingest stands still and all that it told has arrived; then the damage; then it goes on. */
async function withBacklog(
  stage: Stage,
  sites: readonly SiteAgent[],
  damage: (stage: Stage) => Promise<void>,
): Promise<void> {
  const { platform } = stage;
  const load = stage.load({ sites, lanes: 8, perSecond: stage.scale(300, 100) });
  await stage.pass(stage.scale(3_000, 1_000));
  for (const ingest of platform.fleet('ingest')) ingest.process.signal('SIGSTOP');
  await stage.pass(stage.scale(3_000, 1_000));
  await stage.until('what ingest told to arrive', async () => {
    const lengths = await Promise.all(
      Object.values(QUEUES)
        .filter(({ name }) => name !== QUEUES.ingestPushes.name)
        .flatMap(({ name, partitioned }) =>
          keysOf(platform, name, partitioned).map((key) => platform.streams.xlen(key)),
        ),
    );
    return lengths.every((length) => length === 0);
  });
  await damage(stage);
  for (const ingest of platform.fleet('ingest')) ingest.process.signal('SIGCONT');
  await stage.pass(stage.scale(3_000, 1_000));
  await load.stop();
  await stage.settle();
}

/** Reads what is on the queue and destroys it, in one step: nothing can come between. */
async function nameAnd(
  stage: Stage,
  destroy: (multi: ReturnType<Platform['streams']['multi']>, keys: string[]) => void,
): Promise<void> {
  const keys = keysOf(stage.platform, QUEUES.ingestPushes.name, true);
  const multi = stage.platform.streams.multi();
  for (const key of keys) multi.xrange(key, '-', '+');
  destroy(multi, keys);
  const replies = (await multi.exec()) ?? [];
  for (const [error, entries] of replies.slice(0, keys.length)) {
    if (error) throw error;
    for (const [, fields] of entries as [string, string[]][]) {
      stage.named.push((JSON.parse(fields[1]!) as { meta: { push_id: string } }).meta.push_id);
    }
  }
}

const flushed = (stage: Stage): Promise<void> => nameAnd(stage, (multi) => multi.flushall());

const deleted = (stage: Stage): Promise<void> => nameAnd(stage, (multi, keys) => multi.del(...keys));

async function restartedEmpty(stage: Stage): Promise<void> {
  const { redis } = stage.platform;
  // Named at the moment it is emptied; it is gone for good with its files.
  await nameAnd(stage, (multi) => multi.flushall());
  await redis.kill9();
  await rm(join(redis.folder, 'appendonlydir'), { recursive: true, force: true });
  await redis.restart();
}

async function groupDestroyed(stage: Stage): Promise<void> {
  for (const key of keysOf(stage.platform, QUEUES.ingestPushes.name, true))
    await stage.platform.streams.xgroup('DESTROY', key, GROUP);
}

async function healed(stage: Stage, sites: readonly SiteAgent[], damage: string): Promise<void> {
  const { platform } = stage;
  for (const site of sites) {
    await stage.until(
      'the next push to be accepted',
      async () => (await stage.client.send(site.next())).status === 202,
    );
  }
  await stage.settle();
  const states = await platform.query<{ id: number; sequence: number }>(
    'SELECT site_id AS id, sequence::int AS sequence FROM ingest.site_states WHERE site_id = ANY($1::int[])',
    [sites.map(({ id }) => id)],
  );
  const behind = sites.filter((site) => states.find(({ id }) => id === site.id)?.sequence !== site.sequence);
  stage.check(
    `after ${damage} the next push of every site heals it`,
    behind.length === 0,
    `${behind.length} sites behind`,
  );
  const groups = await Promise.all(
    keysOf(platform, QUEUES.ingestPushes.name, true).map(
      async (key) => ((await platform.streams.xinfo('GROUPS', key)) as unknown[]).length,
    ),
  );
  stage.check(
    `after ${damage} every group is back`,
    groups.every((count) => count === 1),
    groups,
  );
  const commands = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(await platform.streams.info('stats'))?.[1]);
  const before = await commands();
  await stage.pass(2_000);
  const rate = ((await commands()) - before) / 2;
  stage.check(
    `after ${damage} nobody asks in a hot loop`,
    rate < COMMANDS_A_SECOND,
    `${Math.round(rate)} commands a second`,
  );
}

function keysOf(platform: Platform, queue: string, partitioned: boolean): string[] {
  return Array.from({ length: partitioned ? platform.partitions : 1 }, (_, partition) => streamKey(queue, partition));
}
