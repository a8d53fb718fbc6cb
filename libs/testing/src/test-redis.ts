import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

export interface TestRedisOptions {
  /** More settings of redis-server; later ones win: `['--appendfsync', 'everysec']` relaxes durability. */
  readonly args?: readonly string[];
  /** Runs instead of redis-server, with its arguments: a script that sets limits and ends in `exec redis-server "$@"`. */
  readonly program?: string;
  /** A sentinel that watches as this says: lines of its configuration, `sentinel monitor …`. It keeps nothing else. */
  readonly sentinel?: readonly string[];
}

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Where its files are. */
  readonly folder: string;
  /** Ends the server in an orderly way and removes its folder. */
  stop(): Promise<void>;
  /** Kills the server without warning; its files stay. */
  kill9(): Promise<void>;
  /** Stops the process where it is: links stay open and nothing answers. */
  pause(): void;
  /** Lets a paused process go on. */
  resume(): void;
  /** Starts the server again on the same port with the same files (after ending it, when it still runs). */
  restart(): Promise<void>;
}

/** As the streams' Redis must be set: every acknowledged write is on disk, and nothing is ever evicted. */
/** As the product runs its Redis for messages. */
const DURABLE = [
  ...['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-min-size', '512mb'],
  ...['--maxmemory-policy', 'noeviction', '--save', ''],
];

/** A master waits five seconds for more replicas before it sends anything to the first; in a test nobody else comes. */
export const QUICK_SYNC = ['--repl-diskless-sync-delay', '0'];

/** A Redis of this suite's own, on a free port of loopback, with its files in a temporary folder. */
export async function testRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const binary = options.program ?? process.env['PATCHWATCH_TEST_REDIS_SERVER'] ?? 'redis-server';
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'patchwatch-redis-'));
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  // A sentinel writes what it learns into its configuration, so it must have a file.
  const config = join(folder, 'sentinel.conf');
  if (options.sentinel) writeFileSync(config, `${options.sentinel.join('\n')}\n`);
  const args = options.sentinel
    ? [config, '--sentinel', ...place, ...(options.args ?? [])]
    : [...place, ...DURABLE, ...(options.args ?? [])];
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const started = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    const note = noteOf(started.pid);
    if (note) writeFileSync(note, folder);
    started.once('exit', () => {
      if (note) rmSync(note, { force: true });
    });
    let output = '';
    let failure: Error | undefined;
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-2000);
    };
    started.stdout.on('data', keep);
    started.stderr.on('data', keep);
    started.once('error', (error) => {
      failure = new Error(`${binary} cannot be started (PATCHWATCH_TEST_REDIS_SERVER names another): ${error.message}`);
    });
    started.once('exit', (code, signal) => {
      failure ??= new Error(`redis-server ended while starting (${code ?? signal}): ${output}`);
    });
    await eventually(async () => failure !== undefined || (await answersPing(port)), {
      what: 'redis-server to answer',
    });
    if (failure) throw failure;
  };

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };

  // A suite that fails before its afterAll must not leave a server behind.
  const lastResort = (): void => {
    child?.kill('SIGKILL');
  };
  process.once('exit', lastResort);

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    stop: async () => {
      await end('SIGTERM');
      process.off('exit', lastResort);
      // A child that it forked to write a file may outlive it for a moment.
      await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
    kill9: () => end('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    restart: async () => {
      await end('SIGTERM');
      await start();
    },
  };
}

/** Where a running server is noted, so that `npm test` can stop it when the process of its suite dies; undefined outside of `npm test`. */
function noteOf(pid: number | undefined): string | undefined {
  const folder = process.env['PATCHWATCH_TEST_RUNNING'];
  return folder && pid ? join(folder, `redis-${pid}`) : undefined;
}

/** True when a Redis that has loaded its files answers on `port`. */
async function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(500, () => {
      answer(false);
    });
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      answer(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => {
      answer(false);
    });
  });
}
