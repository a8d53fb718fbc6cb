// Measures how many inventories of 120 modules a second ingest applies, with everything it must do (receipts, version guard, history,
// patch runs, audit log, events), beside a hand-written loop that does nothing but keep a table of installed modules up to date: it
// reads the batch's current rows, compares in Node and writes what changed. Both take turns batch by batch on the same server, so that
// a noisy machine strikes both. Exits with 1 when ingest does less than 75 % of the loop, or when memory grows.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource, TypeOrmUnitOfWork } from '#libs/database';
import { TableOutbox } from '#libs/outbox';
import { testDatabase } from '#libs/testing';
import { entities } from '../../apps/ingest/src/database/entities.js';
import { migrations } from '../../apps/ingest/src/database/migrations/index.js';
import { AnnounceChangesService } from '../../apps/ingest/src/inventory/announce-changes.service.js';
import {
  ApplyInventoriesService,
  type ReceivedPush,
} from '../../apps/ingest/src/inventory/apply-inventories.service.js';
import { InventoryRepository } from '../../apps/ingest/src/inventory/inventory.repository.js';
import { KnownModuleRepository } from '../../apps/ingest/src/known-module/known-module.repository.js';
import { KnownModulesService } from '../../apps/ingest/src/known-module/known-modules.service.js';
import { PatchRunRepository } from '../../apps/ingest/src/patch-run/patch-run.repository.js';
import { PatchRunsService } from '../../apps/ingest/src/patch-run/patch-runs.service.js';
import { RawPushRepository } from '../../apps/ingest/src/raw-push/raw-push.repository.js';
import { RawPushesService } from '../../apps/ingest/src/raw-push/raw-pushes.service.js';
import { ReceiptRepository } from '../../apps/ingest/src/receipt/receipt.repository.js';
import { ReceiptsService } from '../../apps/ingest/src/receipt/receipts.service.js';
import { SiteStateRepository } from '../../apps/ingest/src/site-state/site-state.repository.js';
import { SiteStatesService } from '../../apps/ingest/src/site-state/site-states.service.js';

const TARGET = 0.75;
const MODULES = 120;
const BATCH = 64;
const SITES = Number(process.env['PATCHWATCH_BENCH_SITES'] ?? 5_000);
const ROUNDS = Number(process.env['PATCHWATCH_BENCH_ROUNDS'] ?? 10);
const BATCHES_A_TURN = 8;
const MEMORY_PUSHES = Number(process.env['PATCHWATCH_BENCH_MEMORY_PUSHES'] ?? 100_000);

interface Installed {
  readonly project: string;
  readonly machine_names: readonly string[];
  readonly type: string;
  readonly version: string;
  readonly datestamp: number;
  readonly status: string;
}

/** One site of the benchmark: what it has now, and how often it has pushed. Small, so that thousands of them do not slow the collector down. */
class BenchSite {
  sequence = 0;
  private readonly minors: Uint16Array;

  constructor(readonly id: number) {
    this.minors = Uint16Array.from({ length: MODULES }, (_, i) => (i + id) % 40);
  }

  get modules(): Installed[] {
    return Array.from({ length: MODULES }, (_, i) => ({
      project: i === 0 ? 'drupal' : `module_${(i * 7 + (this.id % 13)) % 400}_${i}`,
      machine_names: [`module_${i}`],
      type: i === 0 ? 'core' : 'module',
      version: i === 0 ? '10.3.1' : `8.x-1.${this.minors[i]}`,
      datestamp: 1_700_000_000 + i,
      status: 'enabled',
    }));
  }

  change(count: number): void {
    for (let n = 0; n < count; n++) this.minors[1 + ((this.sequence * count + n) % (MODULES - 1))]! += 1;
  }

  push(kind: 'full' | 'heartbeat' = 'full'): ReceivedPush {
    this.sequence++;
    const uuid = `00000000-0000-4000-8000-${String(this.id).padStart(12, '0')}`;
    const now = Date.now();
    const header = { site_uuid: uuid, collected_at: new Date(now).toISOString(), sequence: this.sequence };
    const hash = `the-inventory-of-site-${this.id}`;
    const body = {
      ...header,
      inventory_hash: hash,
      ...(kind === 'full' ? { core: { version: '10.3.1' }, modules: this.modules } : {}),
    };
    return {
      kind,
      pushId: randomUUID(),
      siteId: this.id,
      siteUuid: uuid,
      organizationId: 1 + (this.id % 50),
      epoch: 1,
      sequence: this.sequence,
      complete: true,
      collectedAt: now,
      receivedAt: now,
      reportedHash: hash,
      messageId: randomUUID(),
      correlationId: randomUUID(),
      contentEncoding: 'gzip',
      body: gzipSync(JSON.stringify(body), { level: 6 }),
    };
  }
}

/** The loop: one table, no history, no receipts, no guard, no events. */
class HandWrittenLoop {
  private constructor(private readonly client: pg.Client) {}

  static async open(url: string): Promise<HandWrittenLoop> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`CREATE SCHEMA loop`);
    await client.query(`CREATE TABLE loop.installed (site_id integer, project text, type text NOT NULL, version text, datestamp bigint,
                        status text NOT NULL, PRIMARY KEY (site_id, project))`);
    return new HandWrittenLoop(client);
  }

  async apply(pushes: readonly ReceivedPush[]): Promise<void> {
    await this.client.query('BEGIN');
    const wanted = new Map(
      pushes.map((push) => [
        push.siteId,
        (JSON.parse(gunzipSync(push.body).toString()) as { modules: Installed[] }).modules,
      ]),
    );
    // Aggregated by the server: 2.5 times as fast as reading the rows one by one through the driver.
    const { rows } = await this.client.query<{ site_id: number; current: [string, string, string, number, string][] }>(
      `SELECT site_id, json_agg(json_build_array(project, type, version, datestamp, status)) AS current
       FROM loop.installed WHERE site_id = ANY($1) GROUP BY site_id`,
      [[...wanted.keys()]],
    );
    const current = new Map(rows.map((row) => [row.site_id, new Map(row.current.map((item) => [item[0], item]))]));
    const write: [number, Installed][] = [];
    const gone: [number, string][] = [];
    for (const [site, modules] of wanted) {
      const before = current.get(site);
      const names = new Set<string>();
      for (const item of modules) {
        names.add(item.project);
        const old = before?.get(item.project);
        if (
          !old ||
          old[1] !== item.type ||
          old[2] !== item.version ||
          old[3] !== item.datestamp ||
          old[4] !== item.status
        ) {
          write.push([site, item]);
        }
      }
      for (const project of before?.keys() ?? []) if (!names.has(project)) gone.push([site, project]);
    }
    if (write.length > 0) {
      await this.client.query(
        `INSERT INTO loop.installed SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
         ON CONFLICT (site_id, project) DO UPDATE SET type = excluded.type, version = excluded.version, datestamp = excluded.datestamp,
           status = excluded.status`,
        [
          write.map(([site]) => site),
          write.map(([, item]) => item.project),
          write.map(([, item]) => item.type),
          write.map(([, item]) => item.version),
          write.map(([, item]) => item.datestamp),
          write.map(([, item]) => item.status),
        ],
      );
    }
    if (gone.length > 0) {
      await this.client.query(
        `DELETE FROM loop.installed i USING unnest($1::int[], $2::text[]) AS g (site_id, project)
         WHERE i.site_id = g.site_id AND i.project = g.project`,
        [gone.map(([site]) => site), gone.map(([, project]) => project)],
      );
    }
    await this.client.query('COMMIT');
  }

  async serverPid(): Promise<number> {
    const { rows } = await this.client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return rows[0]!.pid;
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

/** Ingest's own service, as its consumer calls it, without the streams. */
class Ingest {
  private readonly unitOfWork: TypeOrmUnitOfWork;
  private readonly service: ApplyInventoriesService;

  constructor(private readonly dataSource: DataSource) {
    this.unitOfWork = new TypeOrmUnitOfWork(dataSource);
    this.service = new ApplyInventoriesService(
      new SiteStatesService(new SiteStateRepository()),
      new InventoryRepository(),
      new ReceiptsService(new ReceiptRepository(), new RawPushesService(new RawPushRepository())),
      new PatchRunsService(new PatchRunRepository()),
      new AnnounceChangesService(new TableOutbox(), new KnownModulesService(new KnownModuleRepository())),
    );
  }

  async apply(pushes: readonly ReceivedPush[]): Promise<void> {
    const outcome = await this.unitOfWork.run((tx) => this.service.apply(tx, pushes, new Date()));
    if (outcome.failures.length > 0) throw new Error(`failed: ${outcome.failures[0]!.detail}`);
    outcome.afterCommit();
  }

  async serverPid(): Promise<number> {
    const [row]: { pid: number }[] = await this.dataSource.query('SELECT pg_backend_pid() AS pid');
    return row!.pid;
  }

  /** What the relay does in the running service. */
  async emptyOutbox(): Promise<void> {
    await this.dataSource.query('TRUNCATE outbox');
  }

  async expectReceipts(reason: string, count: number): Promise<void> {
    const [row]: { n: number }[] = await this.dataSource.query(
      'SELECT count(*)::int AS n FROM receipts WHERE reason = $1',
      [reason],
    );
    if (row!.n !== count) throw new Error(`${row!.n} receipts say "${reason}", not ${count}: this was no measurement.`);
  }
}

interface Applier {
  apply(pushes: readonly ReceivedPush[]): Promise<void>;
  /** Process id of the server's side of the connection. */
  serverPid(): Promise<number>;
}

/** Seconds of CPU that a process has used; null where the system does not say (no /proc, or the server runs elsewhere). */
function cpuOf(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

class Measured {
  readonly seconds: number[] = [];
  private nodeMicros = 0;
  private serverSeconds: number | null = 0;
  private pushes = 0;

  constructor(private readonly applier: Applier) {}

  async turn(batches: readonly ReceivedPush[][]): Promise<void> {
    const pid = await this.applier.serverPid();
    const server = cpuOf(pid);
    const node = process.cpuUsage();
    const begun = performance.now();
    for (const batch of batches) await this.applier.apply(batch);
    this.seconds.push((performance.now() - begun) / 1000);
    const { user, system } = process.cpuUsage(node);
    const after = cpuOf(pid);
    this.nodeMicros += user + system;
    this.serverSeconds =
      server === null || after === null || this.serverSeconds === null ? null : this.serverSeconds + after - server;
    this.pushes += batches.reduce((sum, batch) => sum + batch.length, 0);
  }

  get rate(): number {
    return this.pushes / this.seconds.length / median(this.seconds);
  }

  /** CPU a push in µs: Node's and the server's. */
  get cpu(): { node: number; server: number } | null {
    if (this.serverSeconds === null) return null;
    return { node: this.nodeMicros / this.pushes, server: (this.serverSeconds * 1e6) / this.pushes };
  }

  get summary(): string {
    const cpu = this.cpu === null ? '' : ` (${this.cpu.node.toFixed(0)}+${this.cpu.server.toFixed(0)} µs)`;
    return `${this.rate.toFixed(0)}/s${cpu}`.padEnd(24);
  }
}

/** Both in turns; who begins changes from round to round. @returns ingest's share of the loop's rate. */
async function compare(name: string, loop: Applier, ingest: Ingest, nextBatch: () => ReceivedPush[]): Promise<number> {
  let measured = { loop: new Measured(loop), ingest: new Measured(ingest) };
  for (let round = -1; round < ROUNDS; round++) {
    const batches = Array.from({ length: BATCHES_A_TURN }, nextBatch);
    const { loop: one, ingest: other } = measured;
    for (const turn of round % 2 === 0 ? [one, other] : [other, one]) await turn.turn(batches);
    await ingest.emptyOutbox();
    // The first round warms up.
    if (round < 0) measured = { loop: new Measured(loop), ingest: new Measured(ingest) };
  }
  const share = median(measured.loop.seconds.map((seconds, i) => seconds / measured.ingest.seconds[i]!));
  const [a, b] = [measured.loop.cpu, measured.ingest.cpu];
  const byCpu = a === null || b === null ? '' : `, by CPU ${((a.node + a.server) / (b.node + b.server)).toFixed(2)}`;
  console.log(
    `${name.padEnd(13)} loop ${measured.loop.summary} ingest ${measured.ingest.summary} ingest/loop ${share.toFixed(2)}${byCpu}   ${share >= TARGET ? 'reached' : `MISSED (${TARGET})`}`,
  );
  return share;
}

function* cycling(sites: readonly BenchSite[]): Generator<BenchSite> {
  for (;;) yield* sites;
}

async function memoryStaysFlat(ingest: Ingest, sites: readonly BenchSite[]): Promise<boolean> {
  const turn = cycling(sites);
  const samples: { pushes: number; heap: number; rss: number }[] = [];
  const begun = performance.now();
  let done = 0;
  while (done < MEMORY_PUSHES) {
    const batch = Array.from({ length: BATCH }, (_, i) => {
      const site = turn.next().value as BenchSite;
      if (i % 8 === 0) site.change(5);
      return site.push(i % 2 === 0 ? 'full' : 'heartbeat');
    });
    await ingest.apply(batch);
    done += BATCH;
    if (samples.length < Math.floor((done / MEMORY_PUSHES) * 10)) {
      await ingest.emptyOutbox();
      (globalThis as { gc?: () => void }).gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      samples.push({ pushes: done, heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 });
    }
  }
  const rate = done / ((performance.now() - begun) / 1000);
  const early = samples[1]!;
  const last = samples.at(-1)!;
  const flat = last.heap - early.heap < 10 && last.rss - early.rss < 100;
  console.log(
    `memory           after ${early.pushes} pushes heap ${early.heap.toFixed(0)} MB, rss ${early.rss.toFixed(0)} MB; after ${last.pushes} heap ${last.heap.toFixed(0)} MB, rss ${last.rss.toFixed(0)} MB (${rate.toFixed(0)}/s, making the pushes included)   ${flat ? 'flat' : 'GROWS'}`,
  );
  return flat;
}

const database = await testDatabase({ schema: 'ingest', entities, migrations });
const dataSource = createDataSource({
  url: database.url,
  schema: 'ingest',
  entities,
  migrations,
  applicationName: 'bench',
  poolSize: 1,
  pipeline: true,
});
const loop = await HandWrittenLoop.open(database.url);
try {
  await dataSource.initialize();
  const ingest = new Ingest(dataSource);
  const sites: BenchSite[] = [];
  const newSite = (): BenchSite => {
    const site = new BenchSite(sites.length + 1);
    sites.push(site);
    return site;
  };
  while (sites.length < SITES) {
    const batch = Array.from({ length: BATCH }, () => newSite().push());
    await loop.apply(batch);
    await ingest.apply(batch);
    await ingest.emptyOutbox();
  }
  console.log(
    `${sites.length} sites with ${MODULES} modules each are there; batches of ${BATCH}, bodies gzip, ${Math.round(sites[0]!.push().body.length)} bytes\n`,
  );
  sites[0]!.sequence--;
  // Autovacuum would do it sooner or later, in the middle of a measurement and for one of the two first.
  await dataSource.query('ANALYZE');
  const turn = cycling([...sites]);
  const batchOf = (prepare: (site: BenchSite) => void, kind: 'full' | 'heartbeat' = 'full') => {
    const batch = Array.from({ length: BATCH }, () => {
      const site = turn.next().value as BenchSite;
      prepare(site);
      return site.push(kind);
    });
    return batch;
  };
  const total = BATCH * BATCHES_A_TURN * (ROUNDS + 1);
  const shares = [await compare('unchanged', loop, ingest, () => batchOf(() => undefined))];
  await ingest.expectReceipts('unchanged', total);
  shares.push(await compare('five changed', loop, ingest, () => batchOf((site) => site.change(5))));
  await ingest.expectReceipts('changed', total + sites.length);
  const beats = Array.from({ length: 20 }, () => batchOf(() => undefined, 'heartbeat'));
  const beating = new Measured(ingest);
  await beating.turn(beats);
  console.log(`${'heartbeats'.padEnd(13)} ${''.padEnd(29)} ingest ${beating.summary}`);
  shares.push(
    await compare('all new', loop, ingest, () => {
      const batch = Array.from({ length: BATCH }, () => newSite().push());
      return batch;
    }),
  );
  const flat = await memoryStaysFlat(ingest, sites);
  process.exitCode = shares.every((share) => share >= TARGET) && flat ? 0 : 1;
} finally {
  await loop.close();
  if (dataSource.isInitialized) await dataSource.destroy();
  await database.drop();
}
