import { QUEUES } from '#libs/contracts';
import { pendingOn } from '../pending.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

/** Postgres ends a transaction in which nobody speaks for so long, and frees its locks. */
const IN_TRANSACTION_MS = 15_000;
/** For reaper, retries and a busy machine. */
const GRACE_MS = 10_000;

export const stoppedConsumer: Scenario = {
  number: 16,
  name: 'stopped-consumer',
  promise: 'a consumer stopped for longer than its lease and resumed: its late commit changes nothing',
  async run(stage) {
    const sites = await stage.sites(stage.scale(80, 20));
    const load = stage.load({ sites, lanes: 16, perSecond: stage.scale(200, 60) });
    for (let round = 0; round < stage.scale(4, 1); round++) {
      // With its transaction open, and with it committed and not acknowledged.
      for (const point of ['batch.handled', 'batch.committed']) await stopAt(stage, point);
    }
    await load.stop();
  },
};

async function stopAt(stage: Stage, point: string): Promise<void> {
  const [ingest] = stage.platform.fleet('ingest');
  ingest!.settings = { PATCHWATCH_FAIL_POINTS: `${point}=stop@4~${QUEUES.ingestPushes.name}` };
  await ingest!.restart();
  await stage.until(`ingest to stand still at ${point}`, async () => !(await answersAtAll(ingest!.healthUrl)));
  const held = (await pendingOn(stage.platform, QUEUES.ingestPushes.name)).map(({ id }) => id);
  const took = await stage.until(
    `what it held at ${point} to be settled by others`,
    async () => {
      const still = new Set((await pendingOn(stage.platform, QUEUES.ingestPushes.name)).map(({ id }) => id));
      return held.every((id) => !still.has(id));
    },
    90_000,
  );
  const bound = IN_TRANSACTION_MS + 2 * stage.tuning.leaseMs + GRACE_MS;
  stage.check(
    `what it held at ${point} is settled by others within ${bound} ms`,
    took <= bound,
    `${took} ms, ${held.length} messages`,
  );
  ingest!.process.signal('SIGCONT');
  await ingest!.ready();
  ingest!.settings = {};
  await ingest!.restart();
}

async function answersAtAll(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`, { signal: AbortSignal.timeout(800) }).then(
    () => true,
    () => false,
  );
}
