// Facts about the machine: programs, users, ports, processes. Node only; nothing here needs the project's packages.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';

/** Homebrew's programs are often not on the PATH of scripts. */
const MORE_FOLDERS = process.platform === 'darwin' ? ['/opt/homebrew/bin', '/usr/local/bin'] : [];

/** Full path of the program `name`, or undefined. */
export function onPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .concat(MORE_FOLDERS)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((candidate) => {
      try {
        accessSync(candidate, constants.X_OK);
        return statSync(candidate).isFile();
      } catch {
        return false;
      }
    });
}

export const isRoot = () => process.geteuid?.() === 0;

/**
 * As whom database servers run. Postgres refuses root, and a Redis of root's on loopback would let every local user write files as root.
 * @returns {{uid: number, gid: number, name: string} | undefined} undefined when we are not root: then as ourselves
 */
export function serverUser() {
  if (!isRoot()) return undefined;
  const rows = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const row = rows.find((fields) => fields[0] === name);
    if (row) return { name, uid: Number(row[2]), gid: Number(row[3]) };
  }
  throw new Error('Running as root, and there is no user "postgres" or "nobody" that database servers could run as.');
}

/** True when `user` may pass through every folder above `path` (which need not exist yet). */
export function canReach(user, path) {
  if (!user) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(folder)) {
      const { mode, uid, gid } = statSync(folder);
      const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
      if ((mode & bit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

/** Runs a program to its end and gives its output; `undefined` when it cannot be run or fails. */
export function outputOf(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', ...options });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Subfolders of `folder`, highest number first; empty when it does not exist. */
export function versionedFolders(folder, pattern = /(\d+)/) {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort((a, b) => Number(pattern.exec(b)[1]) - Number(pattern.exec(a)[1]))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** Whether this address can be listened on now. */
export async function portIsFree(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** Below the range from which systems take ports of outgoing connections: a server that is started again finds its port still free. */
const PORTS = { from: 20_000, to: 32_000 };
const handedOut = new Set();

/** A port of loopback that is free now and that this process has given to nobody else. */
export async function freePort() {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    if (handedOut.has(port) || !(await portIsFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`no free port between ${PORTS.from} and ${PORTS.to}`);
}

/**
 * What makes a process this process and not a later one with the same number: its start time.
 * @returns {string | undefined} undefined when no such process runs
 */
export function processIdentity(pid) {
  if (!Number.isInteger(pid) || pid < 2) return undefined;
  try {
    // Field 22 is the start time; the second field is the name in parentheses and may hold spaces.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${pid}@${fields[19]}`;
  } catch (error) {
    if (process.platform === 'linux') return undefined;
    const started = outputOf('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return started ? `${pid}@${started}` : undefined;
  }
}

/** Folder in which the process works, or undefined. */
export function workingFolderOf(pid) {
  try {
    return realpathSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until `probe` is true. @returns {Promise<boolean>} false on time-out */
export async function until(probe, timeoutMs, everyMs = 25) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await probe()) return true;
    if (performance.now() > deadline) return false;
    await sleep(everyMs);
  }
}
