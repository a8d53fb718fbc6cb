// Redis: given URL -> redis-server or valkey-server on the PATH -> the distribution's packages, unpacked -> Docker -> what to install.
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect } from 'node:net';
import { Child, stopLeftover } from './child.mjs';
import { dockerClient, ensureImage, removeContainer } from './docker.mjs';
import { canReach, freePort, onPath } from './machine.mjs';
import { shortName } from './place.mjs';
import { unpackedRedis } from './redis-packages.mjs';
import { LadderStopped, RungFailed, climb } from './rungs.mjs';

const LOWEST_VERSION = 7;
const IMAGE = 'redis:7';

const LAST_WORD = `Install one of these and start again:
  Debian, Ubuntu   apt-get install redis-server
  Fedora           dnf install valkey
  macOS            brew install redis
or give one that runs: PATCHWATCH_STREAMS_URL=redis://127.0.0.1:6379 (Redis ${LOWEST_VERSION} or newer, or Valkey, set with appendonly yes, appendfsync always, maxmemory-policy noeviction).`;

/**
 * Two roles. "streams" carries accepted pushes: an acknowledged write must be on disk, and nothing may be evicted.
 * "cache" may lose everything at any time: it keeps nothing on disk and evicts what was used least.
 */
const ROLES = {
  streams: [
    'appendonly yes',
    'appendfsync always',
    'maxmemory-policy noeviction',
    'save ""',
    'auto-aof-rewrite-min-size 64mb',
  ],
  cache: ['appendonly no', 'save ""', 'maxmemory 64mb', 'maxmemory-policy allkeys-lru'],
};

/**
 * The program to start a Redis with, for the two roles and for tests that start their own.
 * @returns {Promise<{how: string, command?: string, libraries?: string, docker?: string}>}
 */
export async function findRedisProgram({ place, say }) {
  return climb('Redis', programRungs(place, say), { say, lastWord: LAST_WORD });
}

/**
 * @param {object} options
 * @param {import('./place.mjs').Place} options.place
 * @param {(text: string) => void} options.say
 * @param {{name: string, url?: string}[]} options.given for streams
 * @param {string} [options.cacheUrl] given for the cache
 * @param {boolean} [options.allowLossy] a given Redis may be set so that it loses writes
 * @returns {Promise<{streamsUrl: string, cacheUrl: string, children: Child[]}>}
 */
export async function findRedis({ place, say, given, cacheUrl, allowLossy = false }) {
  const found = await climb(
    'Redis',
    [
      ...given.map(({ name, url }) => ({
        name,
        why: 'not set',
        climb: async () => (url ? checkGiven(name, url, allowLossy) : undefined),
      })),
      ...programRungs(place, say),
    ],
    { say, lastWord: LAST_WORD },
  );
  if (found.url) {
    say(
      `Redis: cache: ${cacheUrl ? 'as given' : 'the same server; set PATCHWATCH_CACHE_URL to give it one of its own'}`,
    );
    return { streamsUrl: found.url, cacheUrl: cacheUrl ?? found.url, children: [] };
  }
  const children = [];
  try {
    const streams = await startRole('streams', found, place, say, children);
    say(`Redis: streams: port ${streams.port}, every write on disk before it is acknowledged, nothing evicted`);
    if (cacheUrl) return { streamsUrl: streams.url, cacheUrl, children };
    // A server of its own: what fills the cache must not take memory from accepted pushes, and flushing it must be harmless.
    const cache = await startRole('cache', found, place, say, children);
    say(`Redis: cache: port ${cache.port}, in memory only, at most 64 MB`);
    return { streamsUrl: streams.url, cacheUrl: cache.url, children };
  } catch (error) {
    await Promise.all(children.map((child) => child.stop()));
    throw error;
  }
}

function programRungs(place, say) {
  return [
    {
      name: 'on the PATH',
      why: 'neither redis-server nor valkey-server',
      climb: async () => {
        const command = onPath('redis-server') ?? onPath('valkey-server');
        return command && checkProgram({ how: command, command }, place.user);
      },
    },
    {
      name: 'distribution packages',
      why: 'no apt-get and dpkg-deb here',
      climb: async () => {
        const cache = packageCache(place);
        const unpacked = unpackedRedis(cache, say);
        return unpacked && checkProgram({ how: `unpacked in ${cache}`, ...unpacked }, place.user);
      },
    },
    {
      name: 'Docker',
      why: 'no docker on the PATH',
      climb: async () => {
        const docker = dockerClient();
        if (!docker) return undefined;
        ensureImage(docker, IMAGE, say);
        return { how: IMAGE, docker };
      },
    },
  ];
}

/** One cache for all clones of a user; with the servers' data where another user must be able to run what lies in it. */
function packageCache(place) {
  const own = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'patchwatch', 'redis');
  return canReach(place.user, dirname(own)) && isWritable(own) ? own : join(place.servers, 'redis-packages');
}

function isWritable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const environmentFor = (program) => ({
  PATH: process.env.PATH,
  LC_ALL: 'C',
  ...(program.libraries ? { LD_LIBRARY_PATH: program.libraries } : {}),
});

/** @throws RungFailed when it cannot run here or is too old */
function checkProgram(program, user) {
  const result = spawnSync(program.command, ['--version'], {
    encoding: 'utf8',
    cwd: '/',
    env: environmentFor(program),
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });
  if (result.status !== 0)
    throw new RungFailed(`${program.command}: ${(result.error?.message ?? result.stderr).trim().split('\n')[0]}`);
  const version = Number(/v=(\d+)/.exec(result.stdout)?.[1]);
  if (version < LOWEST_VERSION)
    throw new RungFailed(`${program.command} is version ${version}; ${LOWEST_VERSION} or newer is needed`);
  return { ...program, how: `${program.how}, version ${/v=([\d.]+)/.exec(result.stdout)?.[1]}` };
}

/** A given URL is used or is an error. @throws LadderStopped */
async function checkGiven(name, url, allowLossy) {
  if (!/^rediss?:\/\//.test(url)) throw new RungFailed('not a URL of Redis');
  const { Redis } = await import('ioredis');
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  let reason;
  client.on('error', (error) => (reason ??= error.message));
  try {
    await client.connect();
    const wrong = [];
    for (const [setting, value] of [
      ['appendonly', 'yes'],
      ['appendfsync', 'always'],
      ['maxmemory-policy', 'noeviction'],
    ]) {
      // Managed servers may forbid CONFIG: then the services' own check decides.
      const answer = await client.config('GET', setting).catch(() => undefined);
      const is = Array.isArray(answer) ? answer[1] : answer?.[setting];
      if (is !== undefined && is !== value) wrong.push(`${setting} is "${is}" and must be "${value}"`);
    }
    if (wrong.length > 0 && !allowLossy) {
      throw new Error(
        `it would lose accepted pushes: ${wrong.join(', ')}. Set it so (CONFIG SET), or accept the loss with PATCHWATCH_ALLOW_LOSSY_STREAMS=1`,
      );
    }
    return { how: wrong.length > 0 ? 'as given, though it may lose writes' : 'as given', url };
  } catch (error) {
    throw new LadderStopped(
      `${name} is set, but that Redis cannot be used: ${reason ?? error.message}. Correct it, or unset it to let Patchwatch start its own.`,
    );
  } finally {
    client.disconnect();
  }
}

async function startRole(role, program, place, say, children) {
  const pidFile = place.pidFile(`redis-${role}`);
  if (await stopLeftover(pidFile)) say(`stopped a Redis (${role}) that an earlier run had left behind`);
  const port = await freePort();
  const password = place.secret(`redis-${role}`);
  const settings = [...ROLES[role], 'daemonize no', `requirepass ${password}`];
  // Settings go by standard input ("-"): a password among the arguments would show in the process list.
  const child = program.docker
    ? containerOf(role, program.docker, { port, settings, place })
    : {
        command: program.command,
        args: ['-'],
        input: [
          ...settings,
          `port ${port}`,
          'bind 127.0.0.1',
          `dir ${quoted(place.serverFolder(`redis-${role}`))}`,
        ].join('\n'),
        env: environmentFor(program),
        user: place.user,
        cwd: '/',
      };
  const started = new Child({
    name: `Redis (${role})`,
    logFile: place.log(`redis-${role}`),
    pidFile,
    ready: () => answersPing(port, password),
    say,
    ...child,
  });
  children.push(started);
  try {
    await started.start();
  } catch (error) {
    throw new LadderStopped(error.message);
  }
  return { port, url: `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}` };
}

const quoted = (text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

function containerOf(role, docker, { port, settings, place }) {
  const name = `${shortName(place.folder)}-redis-${role}`;
  removeContainer(docker, name);
  const data = join(place.folder, `redis-${role}-in-docker`);
  mkdirSync(data, { recursive: true });
  return {
    command: docker,
    args: [
      'run',
      '--rm',
      '-i',
      '--name',
      name,
      '-p',
      `127.0.0.1:${port}:6379`,
      '-v',
      `${data}:/data`,
      IMAGE,
      'redis-server',
      '-',
    ],
    input: [...settings, 'dir /data'].join('\n'),
    env: process.env,
  };
}

/** True when the server has loaded its files and takes commands. */
async function answersPing(port, password) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const end = (ok) => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(500, () => end(false));
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (data) => {
      answer += data;
      if (/^\+OK\r\n[+-].*\r\n$/.test(answer)) end(answer.includes('+PONG'));
    });
    socket.once('error', () => end(false));
    socket.once('close', () => resolve(false));
  });
}

/**
 * A program that tests can start as they like, without knowing about libraries: the server itself or a small script before it.
 * @returns {string} path
 */
export function redisProgramForTests(program, place) {
  if (program.docker) {
    throw new LadderStopped(
      `The tests start and kill Redis servers of their own; a container is not enough for that.\n${LAST_WORD}`,
    );
  }
  if (!program.libraries) return program.command;
  const script = join(place.folder, 'redis-server.sh');
  writeFileSync(script, `#!/bin/sh\nLD_LIBRARY_PATH='${program.libraries}' exec '${program.command}' "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}
