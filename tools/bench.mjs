#!/usr/bin/env node
// `npm run bench`: every figure that the project claims, each beside a baseline in the same run. `npm run bench -- push ingest` runs those named.
// The servers are set as in production (everything durable); a shared machine is noisy, so ratios count, not seconds.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installWhatIsMissing, requireNode } from './install.mjs';
import { openPlace } from './ladder/place.mjs';
import { findPostgres } from './ladder/postgres.mjs';
import { findRedisProgram, redisProgramForTests } from './ladder/redis-program.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const wanted = process.argv.slice(2);
const say = (text) => console.error(text);

let postgres;
let place;
let current;

async function cleanUp() {
  current?.kill('SIGTERM');
  await postgres?.child?.stop();
  place?.release();
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => void cleanUp().then(() => process.exit(130)));

/** @returns {Promise<number>} exit code of the benchmark: 0 when it reached its target */
function run(file, env) {
  return new Promise((resolve) => {
    current = spawn(process.execPath, ['--expose-gc', join(root, file)], { cwd: root, env, stdio: 'inherit' });
    current.once('close', (code) => resolve(code ?? 1));
  });
}

try {
  requireNode();
  await installWhatIsMissing(root, say);
  const { build } = await import('./build.mjs');
  await build();
  // A benchmark is a script, or TypeScript that has been built.
  const all = readdirSync(join(root, 'tools', 'bench'))
    .filter((file) => /\.bench\.(mjs|ts)$/.test(file))
    .map((file) => ({
      name: file.split('.')[0],
      path: file.endsWith('.ts')
        ? join('dist', 'tools', 'bench', file.replace(/\.ts$/, '.js'))
        : join('tools', 'bench', file),
    }));
  const unknown = wanted.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) {
    throw new Error(`no benchmark is named ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`);
  }
  const data = join(root, '.data', 'bench');
  mkdirSync(data, { recursive: true });
  place = openPlace(data, say);
  const given = process.env.PATCHWATCH_TEST_DATABASE_URL;
  postgres = await findPostgres({ place, say, given: [{ name: 'PATCHWATCH_TEST_DATABASE_URL', url: given }] });
  const redis =
    process.env.PATCHWATCH_TEST_REDIS_SERVER ?? redisProgramForTests(await findRedisProgram({ place, say }), place);
  const env = { ...process.env, PATCHWATCH_TEST_DATABASE_URL: postgres.url, PATCHWATCH_TEST_REDIS_SERVER: redis };

  const missed = [];
  for (const { name, path } of all.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    console.log(`\n## ${name}\n`);
    if ((await run(path, env)) !== 0) missed.push(name);
  }
  console.log(missed.length === 0 ? '\nall figures reached' : `\nnot reached, or failed: ${missed.join(', ')}`);
  process.exitCode = missed.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
