import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { QUEUES, type ExposureRow, type PushReceivedMeta } from '#libs/contracts';
import { createDataSource } from '#libs/database';
import { PostgresDeadLetterStore } from '#libs/outbox';
import type { DeadLetter } from '#libs/streams';
import { eventually } from '#libs/testing';
import { backfill } from '../../tools/cli/backfill.js';
import { readJsonLines } from '../../tools/cli/history-source.js';
import { ensureSites } from '../../tools/cli/sites.js';
import { caughtUp } from '../harness/caught-up.js';
import { PatchwatchCommand } from '../harness/command.js';
import { startSystem, type System } from '../harness/system.js';

/**
 * What somebody who runs Patchwatch does on a bad day, by the commands alone: sees what waits, sends dead letters again (killed half way),
 * and has spoiled read models derived anew while people go on reading.
 */
let system: System;
let ingest: DataSource;
let environment: Record<string, string>;

beforeAll(async () => {
  system = await startSystem();
  environment = { PATCHWATCH_DATABASE_URL: system.databaseUrl, PATCHWATCH_STREAMS_URL: system.redis.url };
  ingest = await createDataSource({
    url: system.databaseUrl,
    schema: 'ingest',
    entities: [],
    migrations: [],
    applicationName: 'story',
  }).initialize();
  const histories = (await readJsonLines(join(process.cwd(), 'tools/demo/data/site-history.jsonl.gz')))
    .filter(({ inventories }) => inventories.length >= 8)
    .sort((a, b) => a.inventories.length - b.inventories.length)
    .slice(0, 5);
  const credentials = await ensureSites(
    system.client,
    histories.map(({ alias }) => alias),
  );
  const totals = await backfill(
    system.client,
    histories.map((history) => ({ ...history, credentials: credentials.get(history.alias)! })),
  );
  expect(totals.states.applied).toBe(totals.pushes);
  await caughtUp(system);
}, 300_000);
afterAll(async () => {
  await ingest?.destroy();
  await system?.stop();
});

const run = (...args: string[]) => new PatchwatchCommand(args, environment);

async function figures(): Promise<Record<string, { backlog: number; dead: number; outbox: number; added: number }>> {
  const command = run('streams', '--json', '--interval', '0.2');
  if ((await command.end()) !== 0) throw new Error(command.stderr);
  const { queues } = JSON.parse(command.stdout) as {
    queues: { queue: string; backlog: number; dead: number; outbox: number; added: number }[];
  };
  return Object.fromEntries(queues.map((queue) => [queue.queue, queue]));
}

async function exposures(): Promise<ExposureRow[]> {
  const rows: ExposureRow[] = [];
  for await (const row of system.client.pages<ExposureRow>('/api/v1/exposures?per_page=100&sort=opened_at'))
    rows.push(row);
  return rows;
}

it('shows every queue: nothing waits, nothing is dead, and what came went', async () => {
  const queues = await figures();
  expect(Object.keys(queues)).toHaveLength(Object.keys(QUEUES).length);
  for (const { backlog, dead, outbox } of Object.values(queues))
    expect({ backlog, dead, outbox }).toEqual({ backlog: 0, dead: 0, outbox: 0 });
  expect(queues['ingest.pushes']!.added).toBeGreaterThan(30);
}, 90_000);

it('replays dead letters; killed half way and run again each is sent once, and old pushes end superseded', async () => {
  const [site] = await system.query<{ id: number; uuid: string; organization_id: number }>(
    'SELECT id, uuid, organization_id FROM gateway.sites ORDER BY id LIMIT 1',
  );
  const letters = Array.from({ length: 300 }, () => oldPush(site!));
  await ingest.transaction((tx) => new PostgresDeadLetterStore().record(tx, letters));
  const { added, ...waiting } = (await figures())['ingest.pushes']!;
  expect(waiting).toMatchObject({ dead: 300, backlog: 0 });

  const open = async (): Promise<number> => {
    const [row] = await system.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM ingest.dead_letters WHERE resolution IS NULL',
    );
    return row!.n;
  };
  const killed = run('dead', 'replay', '--queue', 'ingest.pushes', '--rate', '30');
  await eventually(async () => (await open()) <= 270, {
    what: 'some replayed letters',
    timeoutMs: 60_000,
    everyMs: 20,
  });
  killed.kill9();
  await killed.end();
  const left = await open();
  expect(left).toBeGreaterThan(0);
  const again = run('dead', 'replay', '--queue', 'ingest.pushes', '--rate', '2000', '--json');
  expect(await again.end()).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ replayed: left, not_replayable: 0 });

  const ids = letters.map(({ envelope }) => (envelope!.meta as PushReceivedMeta).push_id);
  const receipts = () =>
    system.query<{ state: string; reason: string; pushes: number }>(
      'SELECT state, reason, count(*)::int AS pushes FROM ingest.receipts WHERE push_id = ANY($1::uuid[]) GROUP BY 1, 2',
      [ids],
    );
  await eventually(async () => (await receipts()).reduce((sum, { pushes }) => sum + pushes, 0) === 300, {
    what: 'the ends of all replayed pushes',
    timeoutMs: 30_000,
  });
  expect(await receipts()).toEqual([{ state: 'superseded', reason: 'older_than_current', pushes: 300 }]);
  // What was told is taken off the outbox afterwards, and what was taken is acknowledged afterwards.
  await caughtUp(system);
  expect((await figures())['ingest.pushes']).toMatchObject({ added: added + 300, dead: 0, backlog: 0, outbox: 0 });
}, 180_000);

it('rebuilds spoiled read models from history while people read, says what differed, and finds nothing the second time', async () => {
  const before = await exposures();
  expect(before.length).toBeGreaterThan(20);
  const overview = () => system.client.request<Overview>('GET', '/api/v1/dashboard/overview');
  const { data: overviewBefore } = await overview();

  for (const sql of [
    'DELETE FROM reporting.site_facts WHERE site_id IN (SELECT min(site_id) FROM reporting.sites) AND sequence % 3 = 0',
    'UPDATE reporting.site_modules SET valid_to = valid_from, current = false WHERE site_id = (SELECT max(site_id) FROM reporting.sites)',
    `UPDATE reporting.vulnerable_versions SET verdict = 'unaffected' WHERE version_id % 5 = 0`,
    'UPDATE reporting.site_summaries SET modules = 1, open_exposures = 0',
    `UPDATE reporting.sites SET name = 'Wrong name' WHERE site_id = (SELECT min(site_id) FROM reporting.sites)`,
  ])
    await system.query(sql);

  const first = run('rebuild', 'reporting');
  // Somebody reads all the while: an answer that fails or that is half of something is noted.
  const answers: unknown[] = [];
  let ended: { code: number | null } | null = null;
  void first.end().then((code) => (ended = { code }));
  await eventually(
    async () => {
      const answer = await system.client
        .request<ExposureRow[]>('GET', '/api/v1/exposures?per_page=1', { patienceMs: 0 })
        .then(({ data, meta }) => (data.length === 1 && Number(meta['total']) > 0 ? 'whole' : meta))
        .catch((error: unknown) => error);
      answers.push(answer);
      return ended;
    },
    { what: 'the end of the rebuild', timeoutMs: 120_000, everyMs: 50 },
  );
  expect({ ended, stderr: first.stderr.includes('could not') }).toEqual({ ended: { code: 1 }, stderr: false });
  expect(answers.length).toBeGreaterThan(10);
  expect(answers.filter((answer) => answer !== 'whole')).toEqual([]);
  for (const named of ['site_facts', 'missing', 'Wrong name', 'differences were put right'])
    expect(first.stdout).toContain(named);

  await caughtUp(system);
  const after = await exposures();
  expect(after.map(plain).sort()).toEqual(before.map(plain).sort());
  // What was right on record keeps its identity.
  const ids = new Set(before.map(({ id }) => id));
  expect(after.filter(({ id }) => ids.has(id)).length).toBeGreaterThan(before.length / 2);
  expect(standing((await overview()).data)).toEqual(standing(overviewBefore));

  const second = run('rebuild', 'reporting', '--json');
  expect({ code: await second.end(), stderr: second.stderr.includes('could not') }).toEqual({ code: 0, stderr: false });
  expect(JSON.parse(second.stdout)).toMatchObject({
    unexplained: 0,
    explained: 0,
    untold: { sites: [], advisories: [] },
  });
}, 180_000);

/** What an exposure says but for its own identity and what goes on with the clock. */
function plain({ id: _id, recorded_at: _recorded, days: _days, ...facts }: ExposureRow): string {
  return JSON.stringify(facts);
}

interface Overview {
  readonly sites: object;
  readonly exposures: { readonly open: number };
}

const standing = ({ sites, exposures: { open } }: Overview) => ({ sites, open });

/** A letter of a push that is older than anything the site has. */
function oldPush(site: { id: number; uuid: string; organization_id: number }): DeadLetter {
  const body = Buffer.from(
    JSON.stringify({ schema: 1, site_uuid: site.uuid, collected_at: '2015-01-01T00:00:00Z', modules: [] }),
  );
  const meta: PushReceivedMeta = {
    push_id: randomUUID(),
    site_id: site.id,
    site_uuid: site.uuid,
    organization_id: site.organization_id,
    kind: 'full',
    epoch: 0,
    sequence: 0,
    complete: true,
    collected_at: '2015-01-01T00:00:00Z',
    received_at: '2015-01-01T00:00:01Z',
    inventory_hash: null,
  };
  return {
    queue: 'ingest.pushes',
    raw: null,
    code: 'too_many_deliveries',
    detail: 'Delivered 5 times without success',
    handler: 'PushReceivedConsumer',
    deliveries: 5,
    envelope: {
      id: randomUUID(),
      type: 'gateway.push-received',
      version: 1,
      organizationId: site.organization_id,
      key: site.uuid,
      occurredAt: '2015-01-01T00:00:01Z',
      correlationId: randomUUID(),
      causationId: null,
      traceparent: null,
      contentHash: createHash('sha256').update(body).digest('hex'),
      contentEncoding: 'identity',
      meta,
      body,
    },
  };
}
