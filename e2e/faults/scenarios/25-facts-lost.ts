import { QUEUES } from '#libs/contracts';
import { streamKey } from '#libs/streams';
import { PatchwatchCommand } from '../../harness/command.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

/** What `patchwatch rebuild` answers with: 0 nothing differed, 1 differences were put right. */
const PUT_RIGHT = 1;

/**
 * Facts leave their outbox when Redis has them on its disk. Should Redis then lose everything before reporting took them, no queue brings
 * them back; history does.
 */
export const factsLost: Scenario = {
  number: 25,
  name: 'facts-lost',
  promise: 'FLUSHALL while facts are on their way to reporting: `patchwatch rebuild reporting` brings back every one',
  // Of its own: a rebuild goes through everything that any scenario has left.
  platform: {},
  async run(stage) {
    const { platform } = stage;
    const sites = await stage.sites(stage.scale(40, 15));
    const load = stage.load({ sites, lanes: 8, perSecond: stage.scale(100, 40) });
    await stage.pass(stage.scale(5_000, 2_000));
    const [reporting] = platform.fleet('reporting');
    reporting!.supervised = false;
    await reporting!.process.stop();
    await stage.pass(stage.scale(5_000, 2_000));
    await load.stop();
    await stage.until('everything but the facts for reporting to have arrived', async () => {
      const [row] = await platform.query<{ rows: number }>('SELECT count(*)::int AS rows FROM ingest.outbox');
      const lengths = await lengthsOf(stage);
      const others = [...lengths].filter(([queue]) => !queue.startsWith('reporting.'));
      return row!.rows === 0 && others.every(([, length]) => length === 0);
    });
    const facts = (await lengthsOf(stage)).get(QUEUES.reportingInventory.name) ?? 0;
    await platform.streams.flushall();
    await reporting!.start();
    await stage.settle();
    const missing = await missingInventories(
      stage,
      sites.map(({ id }) => id),
    );
    stage.check('facts were lost on their way', facts > 0 && missing > 0, `${facts} messages, ${missing} inventories`);
    await rebuild(stage, PUT_RIGHT, 'the rebuild puts right what differs');
    const left = await missingInventories(
      stage,
      sites.map(({ id }) => id),
    );
    stage.check('every inventory is back', left === 0, left);
    // When sites were heard last is in no history; the next push says it.
    for (const site of sites)
      await stage.until('the next push', async () => (await stage.client.send(site.next())).status === 202);
    await stage.settle();
    await rebuild(stage, 0, 'a second rebuild finds nothing to do');
  },
};

async function rebuild(stage: Stage, expected: number, promise: string): Promise<void> {
  const command = new PatchwatchCommand(['rebuild', 'reporting'], stage.platform.operator);
  const code = await stage.done('patchwatch rebuild reporting to end', command.end(), 180_000);
  const last = (command.stderr.trim() || command.stdout.trim()).split(/[\r\n]+/).at(-1) ?? '';
  stage.check(promise, code === expected, `exit code ${code}, ${last}`);
}

async function lengthsOf({ platform }: Stage): Promise<Map<string, number>> {
  const lengths = new Map<string, number>();
  for (const { name, partitioned } of Object.values(QUEUES)) {
    let sum = 0;
    for (let partition = 0; partition < (partitioned ? platform.partitions : 1); partition++)
      sum += await platform.streams.xlen(streamKey(name, partition));
    lengths.set(name, sum);
  }
  return lengths;
}

/** Inventories that ingest told of, and reporting does not have. */
async function missingInventories({ platform }: Stage, siteIds: readonly number[]): Promise<number> {
  const [row] = await platform.query<{ missing: number }>(
    `SELECT count(*)::int AS missing FROM ingest.inventory_changes c WHERE c.site_id = ANY($1::int[])
       AND NOT EXISTS (SELECT 1 FROM reporting.site_inventories r
                       WHERE r.site_id = c.site_id AND r.epoch = c.epoch AND r.sequence = c.sequence)`,
    [siteIds],
  );
  return row!.missing;
}
