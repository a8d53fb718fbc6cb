import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually, freePort } from '#libs/testing';
import { within } from '../../harness/within.js';

/** A Postgres of the harness's own, durable as in production, that can be killed. */
export interface PostgresServer {
  /** Of a superuser. */
  readonly url: string;
  readonly port: number;
  /** SIGKILL to the postmaster; what it has committed is on the disk. */
  kill9(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** From a signal to the end, on a busy machine. */
const END_MS = 60_000;

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'shared_buffers=256MB',
  'max_wal_size=2GB',
  'deadlock_timeout=200ms',
];

/**
 * Makes and starts a server from the programs in `PATCHWATCH_FAULTS_POSTGRES` (folder), as the user `PATCHWATCH_FAULTS_POSTGRES_USER`
 * (`uid:gid`, when this runs as root). `npm run test:faults` sets both.
 * @returns null when the variable is not set: then scenarios share the server of `npm test`, which must not be killed
 */
export async function ownPostgres(): Promise<PostgresServer | null> {
  const programs = process.env['PATCHWATCH_FAULTS_POSTGRES'];
  if (!programs) return null;
  const [uid, gid] = (process.env['PATCHWATCH_FAULTS_POSTGRES_USER'] ?? '').split(':').map(Number);
  const user = uid !== undefined && gid !== undefined ? { uid, gid } : {};
  const folder = await mkdtemp(join(tmpdir(), 'patchwatch-faults-postgres-'));
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  const data = join(folder, 'data');
  const environment = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  const made = spawnSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C'],
    {
      ...user,
      cwd: '/',
      env: environment,
      encoding: 'utf8',
    },
  );
  if (made.status !== 0) throw new Error(`initdb: ${made.error?.message ?? made.stderr}`);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
    const started = spawn(join(programs, 'postgres'), ['-D', data, '-p', String(port), ...settings], {
      ...user,
      cwd: '/',
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    const note = noteOf(started.pid);
    if (note) writeFileSync(note, folder);
    started.once('exit', () => {
      if (note) rmSync(note, { force: true });
    });
    let output = '';
    started.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-2_000)));
    await eventually(async () => started.exitCode !== null || (await answers(url)), {
      what: 'Postgres to answer',
      timeoutMs: 60_000,
    });
    if (started.exitCode !== null) throw new Error(`Postgres ended while starting: ${output}`);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await within(END_MS, `Postgres to end after ${signal}`, ended);
  };
  const lastResort = (): void => {
    child?.kill('SIGKILL');
  };
  process.once('exit', lastResort);
  await start();
  return {
    url,
    port,
    kill9: () => end('SIGKILL'),
    start,
    stop: async () => {
      await end('SIGINT');
      process.off('exit', lastResort);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Where a running server is noted, so that the next run can stop it when this process is killed; undefined when nobody asked for it. */
function noteOf(pid: number | undefined): string | undefined {
  const folder = process.env['PATCHWATCH_TEST_RUNNING'];
  return folder && pid ? join(folder, `postgres-${pid}`) : undefined;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
