// Where this run keeps its things: one folder, one run at a time.
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { canReach, processIdentity, serverUser } from './machine.mjs';

export class AlreadyRunningError extends Error {}

/**
 * Opens the data folder: makes it when needed, and takes its lock, so that two runs never share one.
 * @param {string} folder
 * @param {(text: string) => void} say
 * @returns {Place}
 * @throws AlreadyRunningError when another run has it
 */
export function openPlace(folder, say) {
  mkdirSync(resolve(folder), { recursive: true });
  // Real path: two names of one folder are one folder.
  return new Place(realpathSync(resolve(folder)), say);
}

export class Place {
  constructor(folder, say) {
    this.folder = folder;
    this.logs = join(folder, 'logs');
    this.run = join(folder, 'run');
    this.secrets = join(folder, 'secrets');
    // Passable for the servers' user, readable for nobody else.
    chmodSync(folder, 0o711);
    this.#lock();
    for (const [path, mode] of [
      [this.logs, 0o755],
      [this.run, 0o700],
      [this.secrets, 0o700],
    ]) {
      mkdirSync(path, { recursive: true });
      chmodSync(path, mode);
    }
    this.user = serverUser();
    this.servers = this.#serversHome(say);
  }

  /** Text of the secret `name`; made of 32 random bytes at the first call. Readable by the owner only. */
  secret(name, make = () => randomBytes(32).toString('base64url')) {
    const path = join(this.secrets, name);
    if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600, flag: 'wx' });
    return readFileSync(path, 'utf8').trim();
  }

  /** A folder of a database server, owned by the user it runs as. */
  serverFolder(name) {
    const path = join(this.servers, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (this.user) chownSync(path, this.user.uid, this.user.gid);
    return path;
  }

  log(name) {
    return join(this.logs, `${name}.log`);
  }

  pidFile(name) {
    return join(this.run, `${name}.pid`);
  }

  release() {
    rmSync(join(this.folder, 'lock'), { force: true });
  }

  #lock() {
    const path = join(this.folder, 'lock');
    for (;;) {
      try {
        const file = openSync(path, 'wx', 0o600);
        writeSync(file, `${processIdentity(process.pid) ?? process.pid}\n`);
        closeSync(file);
        return;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = readFileSync(path, 'utf8').trim();
      const pid = Number(holder.split('@')[0]);
      if (holder !== '' && processIdentity(pid) === holder) {
        throw new AlreadyRunningError(
          `${this.folder} is in use by process ${pid}. Stop that one (Ctrl-C, or kill ${pid}), or give this one another folder with --data DIR and another port with PATCHWATCH_PORT.`,
        );
      }
      rmSync(path, { force: true }); // Its holder died without a word.
    }
  }

  /** Where the servers' data lie: in the data folder, unless the user they run as cannot get there. */
  #serversHome(say) {
    if (!this.user || canReach(this.user, this.folder)) return this.folder;
    const name = `patchwatch-${createHash('sha256').update(this.folder).digest('hex').slice(0, 12)}`;
    const parent = ['/var/lib', '/var/tmp'].find((candidate) => existsSync(candidate));
    const home = join(parent, name);
    if (!existsSync(home)) mkdirSync(home, { mode: 0o711 });
    const { uid } = lstatSync(home);
    if (!lstatSync(home).isDirectory() || uid !== process.geteuid())
      throw new Error(`${home} exists and is not ours; give another data folder with --data DIR`);
    chmodSync(home, 0o711);
    writeFileSync(join(this.folder, 'servers-are-elsewhere.txt'), `${home}\n`);
    say(
      `the user "${this.user.name}", as whom the database servers run, cannot reach ${this.folder}; their data are in ${home}`,
    );
    return home;
  }
}

/** A short name of a data folder, for things that need one (containers). */
export const shortName = (folder) =>
  `patchwatch-${basename(dirname(folder))}-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`.toLowerCase();
