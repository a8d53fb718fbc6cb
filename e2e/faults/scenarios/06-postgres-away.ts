import { QUEUES } from '#libs/contracts';
import { PendingWatch } from '../pending.js';
import type { Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';

export const postgresAway: Scenario = {
  number: 6,
  name: 'postgres-away',
  promise: 'Postgres down, slow, in conflict: 202 goes on; delivery counts unchanged; leases renewed; drains after',
  needsOwnPostgres: true,
  async run(stage) {
    const sites = await stage.sites(stage.scale(300, 40));
    // Sites that were heard from before: their keys are known without asking Postgres.
    for (const site of sites)
      for (const gateway of stage.client.gateways) await stage.client.send(site.next(), gateway);
    // What piles up is what sites send; most of it says nothing new, so that it is ingest that has to catch up.
    const load = stage.load({
      sites,
      lanes: 24,
      perSecond: stage.scale(250, 100),
      mix: ['changed', 'unchanged', 'unchanged', 'heartbeat', 'unchanged', 'unchanged'],
    });
    await stage.pass(2_000);
    await down(stage);
    await slow(stage);
    await inConflict(stage);
    await load.stop();
    await stage.settle(300_000);
  },
};

async function down(stage: Stage): Promise<void> {
  const { postgres } = stage.platform;
  const watch = new PendingWatch(stage.platform, QUEUES.ingestPushes.name);
  await postgres!.kill9();
  const before = stage.ledger.accepted;
  const doubtful = stage.ledger.doubtful;
  await stage.pass(stage.scale(60_000, 8_000));
  const accepted = stage.ledger.accepted - before;
  await postgres!.start();
  stage.check(
    '202 goes on while Postgres is down',
    accepted > 100,
    `${accepted} accepted, ${stage.ledger.doubtful - doubtful} doubtful`,
  );
  await drained(stage, 'after Postgres is back');
  await finish(stage, watch, 'while Postgres was down');
}

async function slow(stage: Stage): Promise<void> {
  const watch = new PendingWatch(stage.platform, QUEUES.ingestPushes.name);
  for (const { links } of stage.platform.fleet('ingest')) links.database.slow({ latencyMs: 2_000 });
  await stage.pass(stage.scale(30_000, 8_000));
  for (const { links } of stage.platform.fleet('ingest')) links.database.slow();
  await drained(stage, 'after Postgres is quick again');
  await finish(stage, watch, 'while every statement took 2 s');
}

/** Real deadlocks with the locks of ingest, and serialization failures as a busy server would report them. */
async function inConflict(stage: Stage): Promise<void> {
  const { platform } = stage;
  const watch = new PendingWatch(platform, QUEUES.ingestPushes.name);
  await platform.query(`
    CREATE FUNCTION faults.conflict() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF random() < 0.3 THEN RAISE EXCEPTION 'made up' USING ERRCODE = CASE WHEN random() < 0.5 THEN '40001' ELSE '40P01' END; END IF;
      RETURN NULL;
    END $$`);
  await platform.query('GRANT USAGE ON SCHEMA faults TO PUBLIC');
  await platform.query(
    'CREATE TRIGGER conflict BEFORE INSERT ON ingest.receipts FOR EACH STATEMENT EXECUTE FUNCTION faults.conflict()',
  );
  const deadlocksBefore = await deadlocks(stage);
  const end = performance.now() + stage.scale(20_000, 5_000);
  while (performance.now() < end) await lockBackwards(stage);
  await platform.query('DROP TRIGGER conflict ON ingest.receipts');
  await platform.query('DROP FUNCTION faults.conflict()');
  await drained(stage, 'after the conflicts');
  stage.note(`${(await deadlocks(stage)) - deadlocksBefore} deadlocks`);
  await finish(stage, watch, 'while transactions were in conflict');
}

/** Ingest locks sites in order of their ids; this takes them the other way round, one by one. */
async function lockBackwards(stage: Stage): Promise<void> {
  const session = await stage.platform.session();
  try {
    const { rows } = await session.query<{ id: number }>(
      'SELECT site_id AS id FROM ingest.site_states ORDER BY site_id DESC LIMIT 30',
    );
    await session.query('BEGIN');
    for (const { id } of rows)
      await session.query('SELECT 1 FROM ingest.site_states WHERE site_id = $1 FOR UPDATE', [id]);
    await session.query('COMMIT');
  } catch {
    // This side was the victim: the other one goes on.
  } finally {
    await session.end();
  }
}

async function deadlocks(stage: Stage): Promise<number> {
  const [row] = await stage.platform.query<{ deadlocks: number }>(
    'SELECT sum(deadlocks)::int AS deadlocks FROM pg_stat_database',
  );
  return row!.deadlocks;
}

async function drained(stage: Stage, when: string): Promise<void> {
  const watch = new PendingWatch(stage.platform, QUEUES.ingestPushes.name);
  await stage.until(
    `the backlog to be small ${when}`,
    async () => {
      const facts = await stage.platform.streams.xlen(`pw:{${QUEUES.ingestPushes.name}.0}`);
      return facts < 300;
    },
    120_000,
  );
  await watch.stop();
}

async function finish(stage: Stage, watch: PendingWatch, when: string): Promise<void> {
  await watch.stop();
  const { leaseMs } = stage.tuning;
  stage.check(`${when} no delivery was counted`, watch.mostDeliveries <= 1, `${watch.mostDeliveries} deliveries`);
  stage.check(
    `${when} leases were renewed`,
    watch.longestIdleMs < leaseMs,
    `idle at most ${watch.longestIdleMs} of ${leaseMs} ms`,
  );
}
