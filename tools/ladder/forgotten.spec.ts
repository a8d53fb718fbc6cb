import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const { stopForgottenServers } = (await import(`${process.cwd()}/tools/ladder/forgotten.mjs`)) as {
  stopForgottenServers(place: { run: string }, say: (text: string) => void): void;
};

let run: string;
let files: string;
const children: ChildProcess[] = [];

/** Something that runs for a minute and calls itself `name`. */
async function sleeper(name: string, ...more: string[]): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', '--', ...more], {
    argv0: name,
    stdio: 'ignore',
  });
  children.push(child);
  await once(child, 'spawn');
  return child.pid!;
}

/** How the sleeper ends when it is asked to, after the sweep: by SIGKILL, when the sweep was first. */
async function endAfterSweep(): Promise<unknown[]> {
  const ended = once(children[0]!, 'exit');
  stopForgottenServers({ run }, () => undefined);
  children[0]!.kill('SIGTERM');
  return ended;
}

beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'patchwatch-run-'));
  files = mkdtempSync(join(tmpdir(), 'patchwatch-redis-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of [run, files]) rmSync(folder, { recursive: true, force: true });
});

describe('Servers that tests left behind', () => {
  it('a Redis that was noted is ended, and its files and its note go', async () => {
    const pid = await sleeper('redis-server');
    writeFileSync(join(run, `redis-${pid}`), files);
    const ended = once(children[0]!, 'exit');
    stopForgottenServers({ run }, () => undefined);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(files)).toBe(false);
    expect(existsSync(join(run, `redis-${pid}`))).toBe(false);
  });

  it('what has the number now and is another program is left alone', async () => {
    const pid = await sleeper('something-else');
    writeFileSync(join(run, `redis-${pid}`), files);
    expect(await endAfterSweep()).toEqual([null, 'SIGTERM']);
    expect(existsSync(files)).toBe(false);
  });

  it('a Postgres of another folder than the noted one is left alone', async () => {
    const pid = await sleeper('postgres', '-D', '/somewhere/else');
    writeFileSync(join(run, `postgres-${pid}`), join(tmpdir(), 'patchwatch-faults-postgres-noted'));
    expect(await endAfterSweep()).toEqual([null, 'SIGTERM']);
  });

  it('folders that tests do not make are never removed', () => {
    const foreign = join(run, 'mine');
    mkdirSync(foreign);
    writeFileSync(join(run, 'redis-999999'), foreign);
    stopForgottenServers({ run }, () => undefined);
    expect(existsSync(foreign)).toBe(true);
  });
});
