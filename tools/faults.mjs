#!/usr/bin/env node
// `npm run test:faults`: plays disasters on real processes and does the accounts after each. `npm run test:faults -- --help` says more.
// It has servers of its own, which it may kill; the places of their programs are found as for `npm start`.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installWhatIsMissing, requireNode } from './install.mjs';
import { stopForgottenServers } from './ladder/forgotten.mjs';
import { openPlace } from './ladder/place.mjs';
import { embeddedBinaries, installedBinaries, reachableBinaries } from './ladder/postgres-binaries.mjs';
import { findRedisProgram, redisProgramForTests } from './ladder/redis-program.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const say = (text) => console.error(text);
let place;

try {
  requireNode();
  await installWhatIsMissing(root, say);
  const { build } = await import('./build.mjs');
  await build();
  const data = join(root, '.data', 'faults', 'place');
  mkdirSync(data, { recursive: true });
  place = openPlace(data, say);
  // Servers note themselves there while they run: a run that was killed itself could not stop its own.
  stopForgottenServers(place, say);
  process.env.PATCHWATCH_TEST_RUNNING = place.run;
  const binaries = [...installedBinaries(), ...embeddedBinaries()][0];
  if (binaries === undefined) {
    throw new Error('There are no programs of Postgres: apt-get install postgresql, or npm install --include=optional');
  }
  process.env.PATCHWATCH_FAULTS_POSTGRES = reachableBinaries(binaries, place, say);
  if (place.user) process.env.PATCHWATCH_FAULTS_POSTGRES_USER = `${place.user.uid}:${place.user.gid}`;
  process.env.PATCHWATCH_TEST_REDIS_SERVER ??= redisProgramForTests(await findRedisProgram({ place, say }), place);
  const { main } = await import(pathToFileURL(join(root, 'dist', 'e2e', 'faults', 'main.js')).href);
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.stack ?? error.message);
  process.exitCode = 1;
} finally {
  place?.release();
}
// A connection that a scenario forgot must not keep the command from ending.
process.exit();
