import { QUEUES } from '#libs/contracts';
import type { TcpProxy } from '#libs/testing';
import { PendingWatch, pendingOn } from '../pending.js';
import type { Instance } from '../platform/instance.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

/** Promised: a link that is half open is noticed within this time. */
const NOTICED_MS = 5_000;
/** Promised: what a lost reply left behind is found within this time. */
const SWEPT_MS = 2_000;
/** For a new link and a busy machine. */
const GRACE_MS = 1_500;

export const brokenLinks: Scenario = {
  number: 12,
  name: 'broken-links',
  promise: 'replies lost, links half open: one applied; orphans swept in 2 s; noticed in 5 s, health red meanwhile',
  async run(stage) {
    const sites = await stage.sites(stage.scale(100, 30));
    const load = stage.load({ sites, lanes: 24, perSecond: stage.scale(300, 60) });
    await stage.pass(1_000);
    await lostAcceptances(stage);
    await lostReads(stage);
    const [gateway] = stage.platform.fleet('gateway');
    const [ingest] = stage.platform.fleet('ingest');
    await halfOpen(stage, 'gateway and Redis', gateway!, gateway!.links.streams!);
    await halfOpen(stage, 'ingest and Redis', ingest!, ingest!.links.streams!);
    await halfOpen(stage, 'ingest and Postgres', ingest!, ingest!.links.database);
    await forgottenLinks(stage, ingest!);
    await load.stop();
  },
};

/** XADD arrives, its reply does not: 503, and the same push id again. */
async function lostAcceptances(stage: Stage): Promise<void> {
  const links = stage.platform.fleet('gateway').map((gateway) => gateway.links.streams!);
  const before = stage.ledger.doubtful;
  for (const link of links) link.mode = 'dropReplies';
  await stage.pass(stage.scale(6_000, 2_000));
  for (const link of links) link.mend();
  await stage.until('doubtful answers', () => stage.ledger.doubtful > before);
  await stage.until('pushes to be accepted again', acceptedAgain(stage));
}

/** XREADGROUP gives entries to a reader that never hears of them. */
async function lostReads(stage: Stage): Promise<void> {
  const queue = QUEUES.ingestPushes.name;
  const watch = new PendingWatch(stage.platform, queue);
  for (const { links } of stage.platform.fleet('ingest')) links.streams!.mode = 'dropReplies';
  await stage.pass(stage.scale(3_500, 1_200));
  const orphans = (await pendingOn(stage.platform, queue)).map(({ id }) => id);
  for (const { links } of stage.platform.fleet('ingest')) links.streams!.mend();
  const took = await stage.until('the orphans to be swept', async () => {
    const still = new Set((await pendingOn(stage.platform, queue)).map(({ id }) => id));
    return !orphans.some((id) => still.has(id));
  });
  await watch.stop();
  stage.check('reads were lost', orphans.length > 0, `${orphans.length} orphans`);
  stage.check(
    `orphans are swept within ${SWEPT_MS} ms of the new link`,
    took <= stage.within(SWEPT_MS + GRACE_MS),
    `${took} ms`,
  );
  // Unless it took so long that the lease ran out: then others may take over, and that counts.
  const counted = watch.mostDeliveries > 1 && watch.longestIdleMs + watch.longestGapMs < stage.tuning.leaseMs;
  stage.check('a lost reply is no delivery', !counted, `${watch.mostDeliveries} deliveries`);
}

/** Nothing arrives, nobody is told. */
async function halfOpen(stage: Stage, between: string, instance: Instance, link: TcpProxy): Promise<void> {
  link.mode = 'blackhole';
  const red = await stage.until(`red health of ${instance.service}`, async () => !(await instance.isReady()));
  stage.check(`half open between ${between}: health is red within 5 s`, red <= stage.within(NOTICED_MS), `${red} ms`);
  await stage.pass(stage.scale(5_000, 500));
  link.mend();
  const green = await stage.until(`green health of ${instance.service}`, () => instance.isReady());
  stage.note(`half open between ${between}: green again after ${green} ms`);
}

/** A router forgets the links that stand and carries new ones: nobody mends the old ones, the processes must replace them. */
async function forgottenLinks(stage: Stage, ingest: Instance): Promise<void> {
  const links = [
    ingest.links.streams!,
    ingest.links.database,
    ...stage.platform.fleet('gateway').map(({ links }) => links.streams!),
  ];
  for (const link of links) link.forget();
  const accepted = acceptedAgain(stage);
  const took = await stage.until(
    'everything that was held to be settled',
    async () => {
      const old = (await pendingOn(stage.platform, QUEUES.ingestPushes.name)).filter(({ idle }) => idle > 2_500);
      return old.length === 0 && (await ingest.isReady()) && accepted();
    },
    60_000,
  );
  stage.check(
    'links that a router forgot are replaced within 5 s',
    took <= stage.within(NOTICED_MS + GRACE_MS),
    `${took} ms`,
  );
}

function acceptedAgain(stage: Stage): () => boolean {
  const before = stage.ledger.accepted;
  return () => stage.ledger.accepted > before;
}
