import { randomUUID } from 'node:crypto';
import { QUEUES } from '#libs/contracts';
import { streamKey } from '#libs/streams';
import type { Scenario } from '../scenario.js';
import type { SiteAgent } from '../site-agent.js';
import type { Stage } from '../stage.js';

export const relays: Scenario = {
  number: 15,
  name: 'relays',
  promise:
    'two relays at once, one killed between XADD and COMMIT, a writer that commits late: order kept a site, none lost, none skipped',
  async run(stage) {
    const { platform } = stage;
    const sites = await stage.sites(stage.scale(100, 25));
    // Nobody takes from the queue, so that its order can be looked at.
    await Promise.all(
      platform.fleet('reporting').map((reporting) => {
        reporting.supervised = false;
        return reporting.process.stop();
      }),
    );
    const ingests = platform.fleet('ingest');
    const before = ingests.map(({ ends }) => ends.length);
    await Promise.all(
      ingests.map((ingest, i) => {
        ingest.settings = {
          PATCHWATCH_FAIL_POINTS: `relay.published=kill@${10 + 7 * i}~${QUEUES.reportingInventory.name}`,
        };
        return ingest.restart();
      }),
    );
    const deaths = () =>
      ingests.reduce((sum, { ends }, i) => sum + ends.slice(before[i]).filter((how) => how === 'SIGKILL').length, 0);
    const load = stage.load({
      sites,
      lanes: 16,
      perSecond: stage.scale(250, 60),
      mix: ['changed', 'changed', 'unchanged'],
    });
    await stage.pass(1_000);
    const late = await lateWriter(stage, sites[0]!);
    const wanted = stage.scale(20, 3);
    await stage.until(`${wanted} relays to die between XADD and COMMIT`, () => deaths() >= wanted, 300_000);
    await late.commit();
    await load.stop();
    await stage.until(
      'the outbox to be empty',
      async () => {
        const [row] = await platform.query<{ rows: number }>('SELECT count(*)::int AS rows FROM ingest.outbox');
        return row!.rows === 0;
      },
      60_000,
    );
    const { wrong, events, entries } = await orderOnStream(stage);
    stage.check(
      'relays died and sent again',
      entries > events,
      `${entries} entries of ${events} events, ${deaths()} deaths`,
    );
    stage.check('the events of a site are in their order', wrong.length === 0, wrong.slice(0, 3));
    for (const reporting of platform.fleet('reporting')) await reporting.start();
    await stage.settle();
    const [row] = await platform.query<{ arrived: boolean }>(
      'SELECT heard_at >= $2 AS arrived FROM reporting.site_summaries WHERE site_id = $1',
      [sites[0]!.id, late.heardAt],
    );
    stage.check('what committed late was not skipped', row?.arrived === true, row);
  },
};

/** Takes its numbers in the outbox early and commits late, when the relay is far past them. */
async function lateWriter(stage: Stage, site: SiteAgent): Promise<{ commit(): Promise<void>; heardAt: Date }> {
  const heardAt = new Date(Date.now() + 3_600_000);
  const session = await stage.platform.session();
  await session.query('BEGIN');
  const envelope = {
    id: randomUUID(),
    type: 'ingest.sites-heard',
    version: 1,
    organizationId: null,
    key: 'sites-heard',
    occurredAt: new Date().toISOString(),
    correlationId: randomUUID(),
    causationId: null,
    traceparent: null,
    contentHash: null,
    contentEncoding: 'identity',
    meta: null,
  };
  const [{ organization } = { organization: 1 }] = await stage.platform.query<{ organization: number }>(
    'SELECT organization_id AS organization FROM gateway.sites WHERE id = $1',
    [site.id],
  );
  const heard = {
    site_id: site.id,
    organization_id: organization,
    heard_at: heardAt.toISOString(),
    observed_at: heardAt.toISOString(),
    complete: true,
  };
  await session.query(
    `INSERT INTO ingest.outbox (queue, key, organization_id, envelope, body) VALUES ($1, 'sites-heard', NULL, $2, $3)`,
    [QUEUES.reportingInventory.name, JSON.stringify(envelope), Buffer.from(JSON.stringify({ sites: [heard] }))],
  );
  return {
    heardAt,
    commit: async () => {
      await session.query('COMMIT');
      await session.end();
    },
  };
}

/** Compares the first appearance of each event on the streams with the order in which the outbox had them. */
async function orderOnStream(stage: Stage): Promise<{ wrong: string[]; events: number; entries: number }> {
  const partitions = Array.from({ length: stage.platform.partitions }, (_, partition) => partition);
  const streams = await Promise.all(
    partitions.map((partition) =>
      stage.platform.streams.xrange(streamKey(QUEUES.reportingInventory.name, partition), '-', '+'),
    ),
  );
  // After the streams: ingest may still be at work, and what is on a stream was in the outbox before.
  const rows = await stage.platform.query<{ id: string; place: number }>(
    `SELECT message_id AS id, outbox_id::float8 AS place FROM faults.events WHERE schema = 'ingest' AND queue = $1`,
    [QUEUES.reportingInventory.name],
  );
  const places = new Map(rows.map(({ id, place }) => [id, place]));
  const wrong: string[] = [];
  const seen = new Set<string>();
  let entries = 0;
  for (const stream of streams) {
    const last = new Map<string, number>();
    for (const [, fields] of stream) {
      entries++;
      const { id, key, type } = JSON.parse(fields[1]!) as { id: string; key: string; type: string };
      // Only what is about one site has an order; one row about many is written by many at once.
      if (seen.has(id) || type !== 'ingest.inventory-changed') {
        seen.add(id);
        continue;
      }
      seen.add(id);
      const place = places.get(id) ?? -1;
      if (place < (last.get(key) ?? -1)) wrong.push(`${key}: ${id}`);
      last.set(key, Math.max(place, last.get(key) ?? -1));
    }
  }
  return { wrong, events: seen.size, entries };
}
