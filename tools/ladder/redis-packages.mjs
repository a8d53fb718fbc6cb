// Redis without root and without a change to the system: Debian's (or Ubuntu's) own packages, fetched with apt's signatures checked, and unpacked into a cache folder.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from './machine.mjs';
import { RungFailed } from './rungs.mjs';

/**
 * @param {string} cache folder that keeps what was fetched; a second call finds it there
 * @param {(text: string) => void} say
 * @returns {{command: string, libraries: string} | undefined} program and where its libraries lie; undefined where there is no apt
 * @throws RungFailed with apt's own words
 */
export function unpackedRedis(cache, say) {
  const root = join(cache, 'root');
  const command = join(root, 'usr', 'bin', 'redis-server');
  if (!existsSync(command)) {
    if (process.platform !== 'linux' || !onPath('apt-get') || !onPath('dpkg-deb')) return undefined;
    say(`fetching Redis from the distribution's packages into ${cache} (the system is not changed)`);
    fetchPackages(cache);
  }
  return { command, libraries: libraryFolders(root) };
}

function fetchPackages(cache) {
  const work = join(cache, 'apt');
  for (const folder of ['lists/partial', 'cache/archives/partial', 'log'])
    mkdirSync(join(work, folder), { recursive: true });
  const options = [
    ['Dir::State::Lists', join(work, 'lists')],
    ['Dir::Cache', join(work, 'cache')],
    ['Dir::Log', join(work, 'log')],
    ['Debug::NoLocking', '1'],
    // As root apt would fetch as the user "_apt", who may not be able to write to our folder.
    ['APT::Sandbox::User', ''],
    ['APT::Install-Recommends', 'false'],
    // No hooks of the system: they are for real installs.
    ['DPkg::Post-Invoke', ''],
    ['APT::Update::Post-Invoke', ''],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  run('apt-get', ['-qq', ...options, 'update']);
  // "install --download-only" finds what this system lacks by itself; the names of libraries differ between releases.
  run('apt-get', ['-qq', '-y', ...options, 'install', '--download-only', 'redis-server']);
  const archives = join(work, 'cache', 'archives');
  const beside = join(cache, `root.${process.pid}`);
  mkdirSync(beside, { recursive: true });
  for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb')))
    run('dpkg-deb', ['-x', join(archives, file), beside]);
  if (!existsSync(join(beside, 'usr', 'bin', 'redis-server')))
    throw new RungFailed('the packages hold no usr/bin/redis-server');
  rmSync(join(cache, 'root'), { recursive: true, force: true });
  renameSync(beside, join(cache, 'root'));
  rmSync(work, { recursive: true, force: true });
}

function run(command, args) {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 180_000,
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (result.status === 0) return;
  const words = (result.error?.message ?? result.stderr ?? '').trim().split('\n').filter(Boolean).slice(-2).join(' ');
  throw new RungFailed(`${command}: ${words || `ended with ${result.status ?? result.signal}`}`);
}

/** usr/lib/<architecture> and lib/<architecture> of the unpacked packages. */
function libraryFolders(root) {
  return ['usr/lib', 'lib']
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.includes('-linux-'))
        .map((name) => join(folder, name)),
    )
    .join(':');
}
