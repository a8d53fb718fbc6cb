#!/usr/bin/env node
// `npm test`: everything that must hold. Installs and builds what is missing, finds or starts Postgres and Redis, then checks types, style, formatting
// and import law beside the tests. `npm test -- <pattern>` runs only the test files whose path matches. The last line is `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installWhatIsMissing, requireNode } from './install.mjs';
import { stopForgottenServers } from './ladder/forgotten.mjs';
import { openPlace } from './ladder/place.mjs';
import { findPostgres } from './ladder/postgres.mjs';
import { findRedisProgram, redisProgramForTests } from './ladder/redis-program.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const begun = performance.now();
const say = (text) => console.log(`[${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s] ${text}`);
const patterns = process.argv.slice(2);

/**
 * Each is a program of its own, and counts as one test in the closing line. Two lanes, for two cores: the second lane's together take about as
 * long as the first's. So each has one thread: compilers on more of them do much of the work on each.
 */
const CHECKS = [
  [
    {
      name: 'style',
      args: [
        'node_modules/eslint/bin/eslint.js',
        '.',
        '--cache',
        '--cache-location',
        'node_modules/.cache/eslint/',
        '--cache-strategy',
        'content',
      ],
    },
    // By the native compiler, which takes a quarter of the time.
    { name: 'types', args: ['node_modules/typescript-native/bin/tsc', '--noEmit', '--singleThreaded'] },
    {
      name: 'import law',
      args: [
        'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
        '--config',
        '.dependency-cruiser.cjs',
        'apps',
        'libs',
        'tools',
        'e2e',
      ],
    },
  ],
  [
    { name: 'style by types', args: ['node_modules/oxlint/bin/oxlint', '--threads=1'] },
    {
      name: 'formatting',
      args: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '--cache', '.'],
    },
  ],
];

const children = new Set();
let postgres;
let place;
let interrupted = false;

/** Ends what was started here, in order. Safe to call twice. */
async function cleanUp() {
  for (const child of children) child.kill('SIGTERM');
  if (place) stopForgottenServers(place, say);
  await postgres?.child?.stop();
  place?.release();
  if (place) rmSync(join(place.folder, 'jest-results.json'), { force: true });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    say(`${signal}: stopping`);
    void cleanUp().then(() => process.exit(130));
  });
}

/** Runs a Node program. @returns {Promise<{code: number, output: string}>} its output is kept when `quiet`, shown otherwise */
function run(args, { env = process.env, quiet = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env,
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    });
    children.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
    child.once('close', (code) => {
      children.delete(child);
      resolve({ code: code ?? 1, output });
    });
  });
}

async function check({ name, args }) {
  const started = performance.now();
  const { code, output } = await run(args, { quiet: true });
  say(`${name}: ${code === 0 ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (code !== 0) console.log(output.trim());
  return code === 0;
}

async function servers() {
  const data = process.env.PATCHWATCH_TEST_DATA ?? join(root, '.data', 'test');
  mkdirSync(data, { recursive: true });
  place = openPlace(data, say);
  const given = process.env.PATCHWATCH_TEST_DATABASE_URL;
  postgres = await findPostgres({
    place,
    say,
    forTests: true,
    given: [
      { name: 'PATCHWATCH_TEST_DATABASE_URL', url: given },
      // Tests create and drop databases and roles: only a server that is named for it may be used so.
      ...(process.env.DATABASE_URL && !given
        ? [
            {
              name: 'DATABASE_URL',
              why: 'not used by tests, which create and drop databases; PATCHWATCH_TEST_DATABASE_URL allows it',
            },
          ]
        : []),
    ],
  });
  const redis =
    process.env.PATCHWATCH_TEST_REDIS_SERVER ?? redisProgramForTests(await findRedisProgram({ place, say }), place);
  // Also what an earlier run left, when it was killed itself.
  stopForgottenServers(place, say);
  return {
    ...process.env,
    PATCHWATCH_TEST_DATABASE_URL: postgres.url,
    PATCHWATCH_TEST_REDIS_SERVER: redis,
    PATCHWATCH_TEST_RUNNING: place.run,
  };
}

async function jest(env) {
  const results = join(place.folder, 'jest-results.json');
  rmSync(results, { force: true });
  const args = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    // Every worker may start processes and use a database: more workers than this only wait for each other on a small machine.
    '--maxWorkers=2',
    // A connection that a suite forgot must not keep the whole run from ending.
    '--forceExit',
    '--json',
    `--outputFile=${results}`,
    ...(patterns.length > 0 ? ['--verbose', ...patterns] : []),
  ];
  // With --json the report goes to the file and nothing to standard output; the readable report is on standard error.
  const { code } = await new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 1] });
    children.add(child);
    child.once('close', (status) => {
      children.delete(child);
      resolve({ code: status ?? 1 });
    });
  });
  try {
    const report = JSON.parse(readFileSync(results, 'utf8'));
    // A file that cannot be loaded has no tests that could fail; it fails as one.
    const broken = report.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    ).length;
    return { passed: report.numPassedTests, failed: report.numFailedTests + broken, code };
  } catch {
    return { passed: 0, failed: 1, code };
  }
}

try {
  requireNode();
  await installWhatIsMissing(root, say);
  const { build } = await import('./build.mjs');
  const [env] = await Promise.all([
    servers(),
    build().then(({ compiled, total }) => say(`build: compiled ${compiled} of ${total} files`)),
  ]);
  // Checks first and tests afterwards, not beside each other: tests that watch time limits need the machine for themselves.
  // With a pattern only the tests are wanted.
  const lanes = await Promise.all(
    (patterns.length > 0 ? [] : CHECKS).map(async (lane) => {
      const outcomes = [];
      for (const one of lane) outcomes.push(await check(one));
      return outcomes;
    }),
  );
  const checks = lanes.flat();
  const tests = await jest(env);
  if (!interrupted) {
    await cleanUp();
    const failedChecks = checks.filter((ok) => !ok).length;
    // Jest may fail for a reason that is no test (no file matches the pattern): that is not a success.
    const failed = tests.failed + failedChecks + (tests.code !== 0 && tests.failed === 0 ? 1 : 0);
    say('done');
    console.log(`${tests.passed + checks.length - failedChecks} passed, ${failed} failed`);
    process.exit(failed === 0 ? 0 : 1);
  }
} catch (error) {
  if (!interrupted) {
    console.error(error.message);
    await cleanUp();
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}
