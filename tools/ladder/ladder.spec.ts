import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '#libs/testing';

/** The ladder is plain JavaScript, because it runs before anything is installed; here are the parts of it that are tried. */
interface Child {
  start(): Promise<void>;
  stop(): Promise<void>;
  process: ChildProcess;
}
interface Place {
  readonly folder: string;
  secret(name: string): string;
  release(): void;
}
const ladder = async <T>(file: string): Promise<T> => (await import(`${process.cwd()}/tools/ladder/${file}`)) as T;
const { climb, RungFailed, LadderStopped } = await ladder<{
  climb<T>(what: string, rungs: unknown[], options: { say: (text: string) => void; lastWord: string }): Promise<T>;
  RungFailed: new (message: string) => Error;
  LadderStopped: new (message: string) => Error;
}>('rungs.mjs');
const { openPlace } = await ladder<{ openPlace(folder: string, say: (text: string) => void): Place }>('place.mjs');
const { Child, stopLeftover } = await ladder<{
  Child: new (options: Record<string, unknown>) => Child;
  stopLeftover(pidFile: string): Promise<boolean>;
}>('child.mjs');
const { canReach, processIdentity } = await ladder<{
  canReach(user: { uid: number; gid: number } | undefined, path: string): boolean;
  processIdentity(pid: number): string | undefined;
}>('machine.mjs');

let folder: string;
const folders: string[] = [];
const spoken: string[] = [];
const say = (text: string): void => {
  spoken.push(text);
};
const strays: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchwatch-ladder-'));
  folders.push(folder);
  spoken.length = 0;
});
afterEach(() => {
  for (const stray of strays.splice(0)) stray.kill('SIGKILL');
});
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

/** A process that lives until it is killed. */
function longLived(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  strays.push(child);
  return child;
}

describe('climbing', () => {
  const failing = { name: 'first', climb: () => Promise.reject(new RungFailed('it is too old')) };
  const absent = { name: 'second', why: 'not on the PATH', climb: () => Promise.resolve(undefined) };

  it('takes the first way that works and says of every other why it does not', async () => {
    const found = { name: 'third', climb: () => Promise.resolve({ how: 'version 7' }) };
    const never = { name: 'fourth', climb: () => Promise.reject(new Error('must not be tried')) };
    await expect(climb('Redis', [failing, absent, found, never], { say, lastWord: '' })).resolves.toEqual({
      how: 'version 7',
    });
    expect(spoken).toEqual([
      'Redis: first: does not work: it is too old',
      'Redis: second: not on the PATH',
      'Redis: third: version 7',
    ]);
  });

  it('ends with what a person can do when no way works', async () => {
    const climbing = climb('Redis', [failing, absent], { say, lastWord: 'apt-get install redis-server' });
    await expect(climbing).rejects.toThrow(/No Redis could be found or started\.\napt-get install redis-server/);
  });

  it('stops at once when something that a person gave does not work', async () => {
    const given = { name: 'REDIS_URL', climb: () => Promise.reject(new LadderStopped('REDIS_URL is set, but')) };
    const never = { name: 'next', climb: () => Promise.resolve({ how: 'must not be tried' }) };
    await expect(climb('Redis', [given, never], { say, lastWord: '' })).rejects.toThrow('REDIS_URL is set, but');
  });
});

describe('the data folder', () => {
  it('belongs to one run at a time, and the refusal says how to run two', () => {
    const first = openPlace(folder, say);
    expect(() => openPlace(folder, say)).toThrow(/is in use by process \d+.*--data DIR.*PATCHWATCH_PORT/);
    first.release();
    openPlace(folder, say).release();
  });

  it('is taken over from a run that died without a word, even when its process number lives on in another process', async () => {
    const other = longLived();
    writeFileSync(join(folder, 'lock'), `${other.pid}@1\n`);
    openPlace(folder, say).release();
    const dead = longLived();
    writeFileSync(join(folder, 'lock'), `${processIdentity(dead.pid ?? 0)}\n`);
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    openPlace(folder, say).release();
  });

  it('keeps secrets that are made once, are long, and can be read by their owner only', () => {
    const place = openPlace(folder, say);
    const secret = place.secret('pepper');
    expect(secret.length).toBeGreaterThanOrEqual(43);
    expect(place.secret('pepper')).toBe(secret);
    expect(place.secret('jwt-secret')).not.toBe(secret);
    expect(statSync(join(folder, 'secrets', 'pepper')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'secrets')).mode & 0o777).toBe(0o700);
    place.release();
  });
});

describe('a supervised process', () => {
  function sample(script: string, options: Record<string, unknown> = {}): Child {
    return new Child({
      name: 'sample',
      command: process.execPath,
      args: ['-e', script],
      logFile: join(folder, 'logs', 'sample.log'),
      pidFile: join(folder, 'sample.pid'),
      env: { PATH: process.env['PATH'] },
      ready: () => Promise.resolve(logOf(folder).includes('ready')),
      say,
      ...options,
    });
  }
  const logOf = (where: string): string => {
    try {
      return readFileSync(join(where, 'logs', 'sample.log'), 'utf8');
    } catch {
      return '';
    }
  };
  const LIVES = 'console.log("ready"); setInterval(() => {}, 1000)';

  it('is started again when it dies, and that is said', async () => {
    const child = sample(LIVES);
    await child.start();
    const first = child.process.pid;
    child.process.kill('SIGKILL');
    await eventually(() => spoken.includes('sample is back'), { what: 'the restart' });
    expect(child.process.pid).not.toBe(first);
    expect(spoken[0]).toMatch(/^sample killed by SIGKILL; starting it again in 0\.\d s/);
    await child.stop();
  });

  it('stays stopped when it was told to stop, and leaves no note of itself', async () => {
    const child = sample(LIVES);
    await child.start();
    const identity = readFileSync(join(folder, 'sample.pid'), 'utf8').trim();
    expect(processIdentity(child.process.pid ?? 0)).toBe(identity);
    await child.stop();
    expect(processIdentity(child.process.pid ?? 0)).toBeUndefined();
    expect(spoken).toEqual([]);
    expect(() => readFileSync(join(folder, 'sample.pid'))).toThrow('ENOENT');
  });

  it('is killed when it does not stop in time', async () => {
    const child = sample(`process.on("SIGTERM", () => {}); ${LIVES}`, { stopTimeoutMs: 200 });
    await child.start();
    await child.stop();
    expect(child.process.signalCode).toBe('SIGKILL');
    expect(spoken).toEqual(['sample did not stop within 0.2 s and is killed']);
  });

  it('that cannot start shows the end of its log', async () => {
    await expect(sample('console.error("no such table"); process.exit(3)').start()).rejects.toThrow(
      /ended with code 3[^]*no such table/,
    );
  });

  it('whose settings are wrong is not started again', async () => {
    const child = sample(`process.once("SIGUSR2", () => process.exit(78)); ${LIVES}`);
    await child.start();
    child.process.kill('SIGUSR2');
    await eventually(() => spoken.some((line) => line.includes('is not started again: its settings are wrong')), {
      what: 'giving up',
    });
    expect(spoken).toHaveLength(1);
  });

  it('that an earlier run left behind is stopped; another process with its number is left alone', async () => {
    const left = longLived();
    const pidFile = join(folder, 'left.pid');
    writeFileSync(pidFile, `${processIdentity(left.pid ?? 0)}\n`);
    const ended = once(left, 'exit');
    await expect(stopLeftover(pidFile)).resolves.toBe(true);
    expect(await ended).toEqual([null, 'SIGTERM']);

    const innocent = longLived();
    writeFileSync(pidFile, `${innocent.pid}@1\n`);
    await expect(stopLeftover(pidFile)).resolves.toBe(false);
    expect(innocent.exitCode ?? innocent.signalCode).toBeNull();
  });
});

describe("the servers' user", () => {
  it('reaches what lies below open folders only', () => {
    const closed = join(folder, 'closed');
    mkdirSync(join(closed, 'inside'), { recursive: true });
    chmodSync(folder, 0o755);
    chmodSync(closed, 0o700);
    const stranger = { uid: 64_999, gid: 64_999 };
    expect(canReach(stranger, folder)).toBe(true);
    expect(canReach(stranger, join(closed, 'inside', 'not-there-yet'))).toBe(false);
    expect(canReach(undefined, closed)).toBe(true);
  });
});
