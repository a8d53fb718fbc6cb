import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, freePort } from '#libs/testing';

/** `npm start` itself, without npm: from nothing to ready, over deaths, to nothing again. */
interface Start {
  readonly child: ChildProcess;
  readonly port: number;
  readonly data: string;
  stdout(): string;
  stderr(): string;
}
interface Announcement {
  readonly url: string;
  readonly login: string;
  readonly password: string;
  readonly site: unknown;
}

const READY_MS = 90_000;
let folder: string;
let path: string;
const starts: Start[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchwatch-start-'));
  chmodSync(folder, 0o755);
  // The Redis that the tests use is the one that is found on the PATH: nothing is fetched.
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  const redis = process.env['PATCHWATCH_TEST_REDIS_SERVER'] ?? 'redis-server';
  writeFileSync(join(programs, 'redis-server'), `#!/bin/sh\nexec '${redis}' "$@"\n`, { mode: 0o755 });
  path = `${programs}${delimiter}${process.env['PATH']}`;
});
afterEach(async () => {
  for (const { child } of starts.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}, 60_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function start(name: string, options: string[] = [], port?: number): Promise<Start> {
  port ??= await freePort();
  const data = join(folder, name);
  const child = spawn(process.execPath, ['tools/start.mjs', '--json', '--empty', '--data', data, ...options], {
    env: { PATH: path, HOME: process.env['HOME'], PATCHWATCH_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const started = { child, port, data, stdout: () => stdout, stderr: () => stderr };
  starts.push(started);
  return started;
}

async function ready(started: Start): Promise<Announcement> {
  return eventually(
    () => {
      if (started.child.exitCode !== null) throw new Error(`it ended:\n${started.stderr()}`);
      return started.stdout().endsWith('\n') ? (JSON.parse(started.stdout()) as Announcement) : null;
    },
    { timeoutMs: READY_MS, everyMs: 100, what: 'the JSON line' },
  );
}

const pidOf = (data: string, name: string): number =>
  Number(readFileSync(join(data, 'run', `${name}.pid`), 'utf8').split('@')[0]);
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const status = async (url: string): Promise<number> => (await fetch(url).catch(() => null))?.status ?? 0;

async function logIn({ url, login, password }: Announcement): Promise<number> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: login, password }),
  });
  return response.status;
}

async function stop(started: Start, signal: NodeJS.Signals): Promise<unknown> {
  const ended = once(started.child, 'exit');
  started.child.kill(signal);
  return (await ended)[0];
}

const SERVICES = ['gateway', 'ingest', 'catalog', 'reporting', 'notifier'];

describe('npm start', () => {
  it(
    'says in one JSON line where it is and how to log in, heals what is killed, and stops all it started on Ctrl-C',
    async () => {
      const started = await start('five');
      const announced = await ready(started);
      expect(announced).toMatchObject({ url: `http://127.0.0.1:${started.port}`, site: null });
      expect(await status(`${announced.url}/healthz`)).toBe(200);
      expect(await status(`${announced.url}/readyz`)).toBe(200);
      expect(Math.floor((await logIn(announced)) / 100)).toBe(2);

      const pids = SERVICES.map((service) => pidOf(started.data, service));
      expect(new Set(pids).size).toBe(SERVICES.length);
      const victims = ['ingest', 'redis-streams'].map((name) => [name, pidOf(started.data, name)] as const);
      for (const [, pid] of victims) process.kill(pid, 'SIGKILL');
      for (const [name, pid] of victims) {
        await eventually(() => pidOf(started.data, name) !== pid, {
          timeoutMs: 20_000,
          what: `${name} to be started again`,
        });
      }
      await eventually(
        () => started.stderr().includes('ingest is back') && started.stderr().includes('Redis (streams) is back'),
        {
          timeoutMs: 30_000,
          what: 'both to be back',
        },
      );
      await eventually(async () => (await status(`${announced.url}/readyz`)) === 200, {
        timeoutMs: 20_000,
        what: 'readiness',
      });

      const living = readdirSync(join(started.data, 'run')).map((file) =>
        pidOf(started.data, file.replace('.pid', '')),
      );
      expect(living.length).toBeGreaterThanOrEqual(SERVICES.length + 3);
      expect(await stop(started, 'SIGINT')).toBe(0);
      expect(living.filter(isAlive)).toEqual([]);
      expect(started.stdout().trim().split('\n')).toHaveLength(1);
    },
    2 * READY_MS,
  );

  it(
    'keeps login and data over a restart, recovers from being killed, and runs all services in one process when told',
    async () => {
      const first = await start('kept', ['--single']);
      const before = await ready(first);
      const single = pidOf(first.data, 'single');
      const redis = pidOf(first.data, 'redis-streams');
      const killed = once(first.child, 'exit');
      first.child.kill('SIGKILL');
      await killed;
      // Services notice by themselves that their starter is gone.
      await eventually(() => !isAlive(single), { timeoutMs: 25_000, what: 'the services to stop' });

      const second = await start('kept', ['--single']);
      const after = await ready(second);
      expect({ login: after.login, password: after.password }).toEqual({
        login: before.login,
        password: before.password,
      });
      expect(Math.floor((await logIn(after)) / 100)).toBe(2);
      expect(second.stderr()).toContain('that an earlier run had left behind');
      expect(isAlive(redis)).toBe(false);
    },
    3 * READY_MS,
  );

  it(
    'refuses a data folder that is in use',
    async () => {
      const blocker = await start('blocked');
      await eventually(() => blocker.stderr().includes('Postgres:'), {
        timeoutMs: READY_MS,
        what: 'the first to begin',
      });
      const second = await start('blocked');
      await once(second.child, 'exit');
      expect(second.child.exitCode).toBe(1);
      expect(second.stderr()).toContain(`is in use by process ${blocker.child.pid}`);
      expect(second.stdout()).toBe('');
      expect(await stop(blocker, 'SIGTERM')).toBe(0);
      expect(await opens(blocker.port)).toBe(false);
    },
    READY_MS,
  );

  it('refuses a port that is taken, before it starts anything', async () => {
    const taken = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const refused = await start('taken', [], port);
    await once(refused.child, 'close');
    taken.close();
    expect(refused.child.exitCode).toBe(1);
    expect(refused.stderr()).toContain(`Port ${port} on 127.0.0.1 is taken by another program`);
    expect(refused.stderr()).not.toContain('Postgres:');
  });

  it('explains an option that does not exist', async () => {
    const wrong = await start('wrong', ['--dta', 'x']);
    await once(wrong.child, 'close');
    expect(wrong.child.exitCode).toBe(64);
    expect(wrong.stderr()).toMatch(/Unknown option '--dta'[^]*npm start -- \[options\]/);
  });
});

async function opens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
