// The program that a Redis is started with, for the platform's two servers and for tests.
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { dockerClient, ensureImage } from './docker.mjs';
import { canReach, onPath } from './machine.mjs';
import { unpackedRedis } from './redis-packages.mjs';
import { LadderStopped, RungFailed, climb } from './rungs.mjs';

const LOWEST_VERSION = 7;
export const IMAGE = 'redis:7';

export const LAST_WORD = `Install one of these and start again:
  Debian, Ubuntu   apt-get install redis-server
  Fedora           dnf install valkey
  macOS            brew install redis
or give one that runs: PATCHWATCH_STREAMS_URL=redis://127.0.0.1:6379 (Redis ${LOWEST_VERSION} or newer, or Valkey, set with appendonly yes, appendfsync always, maxmemory-policy noeviction).`;

/** Ways to a program (or image) to start a Redis with: on the PATH -> the distribution's packages, unpacked -> Docker. */
export function programRungs(place, say) {
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

/** One cache for all clones of a user; with the servers' data where their user could not reach it. */
function packageCache(place) {
  const caches = place.user ? '/var/cache' : (process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'));
  const folder = join(caches, 'patchwatch', 'redis');
  return canReach(place.user, caches) && isWritable(folder) ? folder : join(place.servers, 'redis-packages');
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

/** What a Redis program sees of our environment: nothing but where its libraries are. */
export const environmentFor = (program) => ({
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

/**
 * The program alone, for tests that start their own servers.
 * @returns {Promise<{how: string, command?: string, libraries?: string, docker?: string}>}
 */
export async function findRedisProgram({ place, say }) {
  return climb('Redis', programRungs(place, say), { say, lastWord: LAST_WORD });
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
