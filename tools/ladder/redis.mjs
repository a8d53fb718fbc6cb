// Redis: given URL -> redis-server or valkey-server on the PATH -> the distribution's packages, unpacked -> Docker -> what to install.
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Child, stopLeftover } from './child.mjs';
import { removeContainer } from './docker.mjs';
import { freePort } from './machine.mjs';
import { shortName } from './place.mjs';
import { IMAGE, LAST_WORD, environmentFor, programRungs } from './redis-program.mjs';
import { LadderStopped, RungFailed, climb } from './rungs.mjs';

/**
 * Two roles. "streams" carries accepted pushes: an acknowledged write must be on disk, and nothing may be evicted.
 * "cache" may lose everything at any time: it keeps nothing on disk and evicts what was used least.
 */
const ROLES = {
  streams: [
    'appendonly yes',
    'appendfsync always',
    // Messages live for seconds, so the file is mostly past; a rewrite's bulk of writes makes the next fsync wait.
    'auto-aof-rewrite-min-size 512mb',
    'maxmemory-policy noeviction',
    'save ""',
  ],
  cache: ['appendonly no', 'save ""', 'maxmemory 64mb', 'maxmemory-policy allkeys-lru'],
};

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
    if (!cacheUrl && found.url.includes('+cluster:'))
      throw new LadderStopped(
        'Beside a Redis Cluster for messages PATCHWATCH_CACHE_URL must name a single Redis for what may vanish.',
      );
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

/** A given URL is used or is an error. @throws LadderStopped */
async function checkGiven(name, url, allowLossy) {
  // Of these every server must be asked: the services do so when they start, and refuse what would lose pushes.
  if (/^rediss?\+(sentinel|cluster):\/\//.test(url)) return { how: 'as given; the services check each server', url };
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
