import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceName } from '#libs/contracts';
import { CommandError } from './command-error.js';
import type { Platform } from './platform.js';
import { sampleQueues } from './queue-figures.js';

/** Who must be heard before reporting knows everything, in this order. */
const TELLERS = ['gateway', 'catalog', 'ingest'] as const;

/** What the process that rebuilds reports; see apps/reporting/src/rebuild. */
export interface RebuildReport {
  readonly rebuilt: RebuiltParts;
  readonly counts: Readonly<Record<string, { before: number; after: number }>>;
  readonly explained: number;
  readonly unexplained: number;
  readonly byTable: Readonly<
    Record<string, { missing: number; surplus: number; different: number; explained: number }>
  >;
  readonly examples: readonly {
    readonly subject: string;
    readonly table: string;
    readonly key: string;
    readonly kind: string;
    readonly columns: readonly string[];
  }[];
  readonly untold: { readonly sites: readonly number[]; readonly advisories: readonly string[] };
}

export interface RebuiltParts {
  readonly registry: number;
  readonly modules: number;
  readonly sites: number;
}

export interface RebuildOptions {
  readonly dryRun: boolean;
  readonly onProgress: (done: RebuiltParts, total: RebuiltParts) => void;
  readonly stopping: AbortSignal;
}

/** Entries of built services, beside which this file is built. */
const apps = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'apps');

/**
 * Rebuilds reporting's read models: each owner is started to tell its facts anew, as lines of its own events, and reporting is started to take
 * them. The processes connect as the services do, each to its own schema; the running services go on beside.
 * @throws CommandError `rebuild_failed`, `rebuild_interrupted`; what was rebuilt so far stands, and it can be run again
 */
export async function rebuildReporting(platform: Platform, options: RebuildOptions): Promise<RebuildReport> {
  const queues = await sampleQueues(platform, (error) => {
    throw error;
  });
  const feeding = queues.filter(({ queue, service }) => service === 'reporting' || queue.startsWith('ingest.'));
  const onTheWay = feeding.some(({ backlog, outbox }) => backlog > 0 || (outbox ?? 0) > 0);
  const total = await totals(platform);
  const flags = [...(options.dryRun ? ['--dry-run'] : []), ...(onTheWay ? ['--on-the-way'] : [])];
  const listener = spawn(process.execPath, ['--enable-source-maps', join(apps, 'reporting/src/rebuild.js'), ...flags], {
    env: environment(platform, 'reporting'),
    stdio: ['pipe', 2, 2, 'ipc'],
  });
  const running: ChildProcess[] = [listener];
  const interrupt = () => running.forEach((child) => child.kill('SIGTERM'));
  options.stopping.addEventListener('abort', interrupt, { once: true });
  let report: RebuildReport | undefined;
  listener.on('message', (message: { rebuilt?: RebuiltParts; report?: RebuildReport }) => {
    if (message.rebuilt) options.onProgress(message.rebuilt, total);
    if (message.report) report = message.report;
  });
  const ended = once(listener, 'close');
  // It may end before it has heard everything; then writing to it fails, and its exit code says why.
  listener.stdin!.on('error', () => undefined);
  for (const service of TELLERS) {
    const teller = spawn(process.execPath, ['--enable-source-maps', join(apps, service, 'src/tell.js')], {
      env: environment(platform, service),
      stdio: ['ignore', 'pipe', 2],
    });
    running.push(teller);
    const told = once(teller, 'close');
    teller.stdout!.pipe(listener.stdin!, { end: false });
    const [outcome] = (await Promise.race([told, ended.then(() => ['listener'])])) as [unknown];
    if (outcome !== 0) {
      interrupt();
      await Promise.all([told, ended]);
      throw options.stopping.aborted ? interrupted() : failed(outcome === 'listener' ? 'reporting' : service);
    }
  }
  listener.stdin!.end();
  const [code] = (await ended) as [number | null];
  if (options.stopping.aborted) throw interrupted();
  if (code !== 0 || !report) throw failed('reporting');
  return report;
}

/** How much there is to do: for showing progress only. */
async function totals(platform: Platform): Promise<RebuiltParts> {
  const count = (service: ServiceName, sql: string) =>
    platform.use(service, async (source) => (await source.query<{ n: number }[]>(sql))[0]!.n);
  return {
    registry: await count(
      'gateway',
      'SELECT ((SELECT count(*) FROM organizations) + (SELECT count(*) FROM sites))::int AS n',
    ),
    modules: await count('catalog', 'SELECT count(*)::int AS n FROM modules WHERE revision > 0'),
    sites: await count('ingest', 'SELECT count(*)::int AS n FROM site_states WHERE epoch IS NOT NULL'),
  };
}

/** As the service itself has it, its own database among it. */
function environment(platform: Platform, service: ServiceName): NodeJS.ProcessEnv {
  const { addresses } = platform;
  return {
    ...process.env,
    TZ: 'UTC',
    [`PATCHWATCH_${service.toUpperCase()}_DATABASE_URL`]: addresses.databaseUrl(service) ?? '',
    PATCHWATCH_STREAMS_URL: addresses.streamsUrl ?? '',
    PATCHWATCH_PARTITIONS: String(addresses.partitions),
  };
}

const failed = (service: string) =>
  new CommandError(
    'rebuild_failed',
    `${service} could not do its part; what it said stands above. What was rebuilt so far stands: mend the cause and run the same command again`,
  );

const interrupted = () =>
  new CommandError(
    'rebuild_interrupted',
    'interrupted; what was rebuilt so far stands, and the same command begins anew',
  );
