#!/usr/bin/env node
// `npm start`: from a bare clone to a running Patchwatch. Needs Node and npm; finds or brings everything else.
import { spawn } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installWhatIsMissing, requireNode } from './install.mjs';
import { stopLeftover } from './ladder/child.mjs';
import { portIsFree } from './ladder/machine.mjs';
import { openPlace } from './ladder/place.mjs';
import { findPostgres } from './ladder/postgres.mjs';
import { findRedis } from './ladder/redis.mjs';
import { isLoaded, loadDemonstration, oneSite } from './start/demonstration.mjs';
import { HELP, readOptions } from './start/options.mjs';
import {
  LEFT_BEHIND,
  makeServices,
  makeUpstream,
  migrationEnvironment,
  serviceDatabaseUrls,
} from './start/services.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const begun = performance.now();

let options;
try {
  requireNode();
  options = readOptions(process.argv.slice(2), root);
} catch (error) {
  console.error(`${error.message}\n\n${HELP}`);
  process.exit(64);
}
if (options.help) {
  console.log(HELP);
  process.exit(0);
}

/** Progress goes where the JSON line does not. */
const out = options.json ? process.stderr : process.stdout;
const say = (text) => out.write(`[${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s] ${text}\n`);

/** What runs, in the order in which it is to be stopped: who takes work first, who keeps data last. */
const running = { loader: undefined, gateway: [], services: [], upstream: [], redis: [], postgres: [] };
let place;
let stopping = false;

async function stop(reason, code) {
  if (stopping) return;
  stopping = true;
  say(`${reason}: stopping`);
  running.loader?.kill('SIGTERM');
  for (const group of [running.gateway, running.services, running.upstream, running.redis, running.postgres]) {
    await Promise.all(group.map((child) => child.stop()));
  }
  place?.release();
  say('stopped');
  process.exit(code);
}

function obeySignals() {
  let first = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // npm passes on what the terminal has sent to us already: one Ctrl-C may arrive twice.
      if (!stopping) {
        first = performance.now();
        void stop(signal === 'SIGINT' ? 'Ctrl-C' : signal, 0);
      } else if (performance.now() - first > 1_000) {
        say('asked again: killing what still runs');
        for (const child of [running.gateway, running.services, running.upstream, running.redis].flat()) child.kill();
        // Postgres is never killed: that costs a recovery. It gets the rest of its time.
      }
    });
  }
  // Under npm, and npm is gone (kill -9): nobody could stop us any more by stopping `npm start`.
  if (process.env.npm_lifecycle_event) {
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) void stop('npm is gone', 0);
    }, 1_000).unref();
  }
}

/** Starts a child and notes it before, so that a stop in the middle finds it. */
async function start(group, ...children) {
  group.push(...children);
  await Promise.all(children.map((child) => child.start()));
}

/** Notes what a rung has started at once: a stop may come while others are still at work. */
function note(found, group, children) {
  group.push(...children);
  return found;
}

/** @throws what the first that failed has thrown */
function succeed(...results) {
  for (const { status, reason } of results) if (status === 'rejected') throw reason;
}

async function migrate(adminUrl) {
  const child = spawn(process.execPath, ['--enable-source-maps', join(root, 'dist', 'tools', 'migrate', 'main.js')], {
    cwd: root,
    env: migrationEnvironment(adminUrl, place),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  appendFileSync(place.log('migrate'), output);
  if (code !== 0)
    throw new Error(`the database could not be migrated:\n${output.trim().split('\n').slice(-12).join('\n')}`);
  say(
    `database: ${
      output
        .trim()
        .split('\n')
        .every((line) => line.endsWith('up to date'))
        ? 'up to date'
        : 'migrated'
    }`,
  );
}

async function main() {
  place = openPlace(options.data, say);
  const left = await Promise.all(LEFT_BEHIND.map((name) => stopLeftover(place.pidFile(name))));
  if (left.some(Boolean)) say('stopped processes that an earlier run had left behind');
  if (!(await portIsFree(options.port, options.host))) {
    throw new Error(
      `Port ${options.port} on ${options.host} is taken by another program. Stop it, or choose another: PATCHWATCH_PORT=${options.port + 1} npm start`,
    );
  }

  const env = process.env;
  // What does not need each other goes side by side. When one fails, the others are waited for: what they started must be known to be stopped.
  const [installed, redis] = await Promise.allSettled([
    installWhatIsMissing(root, say, { dev: false }),
    findRedis({
      place,
      say,
      given: [
        { name: 'PATCHWATCH_STREAMS_URL', url: env.PATCHWATCH_STREAMS_URL },
        { name: 'REDIS_URL', url: env.REDIS_URL },
      ],
      cacheUrl: env.PATCHWATCH_CACHE_URL,
      allowLossy: Boolean(env.PATCHWATCH_ALLOW_LOSSY_STREAMS),
    }).then((found) => note(found, running.redis, found.children)),
  ]);
  succeed(installed, redis);
  if (stopping) return;
  const [built, postgres] = await Promise.allSettled([
    import('./build.mjs').then(({ build }) => build()),
    findPostgres({
      place,
      say,
      given: [
        { name: 'PATCHWATCH_DATABASE_URL', url: env.PATCHWATCH_DATABASE_URL },
        { name: 'DATABASE_URL', url: env.DATABASE_URL },
      ],
    }).then((found) => note(found, running.postgres, found.child ? [found.child] : [])),
  ]);
  succeed(postgres, built);
  say(
    built.value.compiled === 0
      ? 'build: up to date'
      : `build: compiled ${built.value.compiled} of ${built.value.total} files`,
  );

  await migrate(postgres.value.url);

  let upstreamUrl = env.PATCHWATCH_UPSTREAM;
  if (upstreamUrl) say(`Drupal.org: ${upstreamUrl}, as given`);
  else {
    const upstream = await makeUpstream({ root, place, say });
    await start(running.upstream, upstream.child);
    upstreamUrl = upstream.url;
    say(
      `Drupal.org: a stand-in with recorded releases and advisories at ${upstreamUrl} (PATCHWATCH_UPSTREAM names the real one)`,
    );
  }

  const firstLogin = {
    email: env.PATCHWATCH_BOOTSTRAP_EMAIL || 'admin@patchwatch.example',
    password: env.PATCHWATCH_BOOTSTRAP_PASSWORD || place.secret('first-login-password'),
  };
  const needs = {
    adminUrl: postgres.value.url,
    streamsUrl: redis.value.streamsUrl,
    cacheUrl: redis.value.cacheUrl,
    upstreamUrl,
  };
  const [gateway, ...services] = await makeServices({ root, place, needs, options, firstLogin, say });
  await Promise.all([start(running.gateway, gateway), start(running.services, ...services)]);
  say(
    options.single
      ? 'all services are ready, in one process'
      : 'gateway, ingest, catalog, reporting and notifier are ready',
  );

  const host = options.host === '0.0.0.0' ? '127.0.0.1' : options.host;
  const access = { url: `http://${host}:${options.port}`, login: firstLogin.email, password: firstLogin.password };
  // For the commands of operators (docs/operations.md); the file is its owner's alone.
  const inside = {
    databases: serviceDatabaseUrls(postgres.value.url, place),
    streams: redis.value.streamsUrl,
    partitions: Number(env.PATCHWATCH_PARTITIONS || 1),
  };
  const remember = (site) =>
    writeFileSync(join(place.folder, 'access.json'), `${JSON.stringify({ ...access, site, ...inside }, null, 2)}\n`, {
      mode: 0o600,
    });
  remember(null);

  if (!options.empty && !isLoaded(place)) {
    say(`loading the demonstration (once); ${access.url} answers meanwhile`);
    const loaded = await loadDemonstration({ root, place, access, onChild: (child) => (running.loader = child) });
    if (stopping) return;
    say(loaded ? 'the demonstration is loaded' : 'the demonstration could not be loaded; the next start tries again');
    if (!loaded && options.json)
      throw new Error('without the demonstration there is no site for the JSON line; --empty starts without it');
  }
  const site = options.empty ? null : await oneSite({ place, access });
  remember(site);
  announce(access, site);
}

function announce(access, site) {
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...access, site })}\n`);
    say(`ready at ${access.url}`);
    return;
  }
  const lines = [
    '',
    `  Patchwatch is ready:  ${access.url}`,
    `  login:                ${access.login}`,
    `  password:             ${access.password}`,
    `  data and logs:        ${place.folder}`,
  ];
  if (site) {
    lines.push(
      '',
      '  Push an inventory as a site would:',
      '',
      `  curl -sS -X POST ${access.url}/api/v1/sites/${site.uuid}/modules/sync \\`,
      `    -H 'x-api-key: ${site.key}' -H 'content-type: application/json' \\`,
      `    -d '{"schema":1,"site_uuid":"${site.uuid}","collected_at":"'"$(date -u +%FT%TZ)"'","epoch":1,"sequence":'"$(date +%s)"',"core":{"version":"10.2.7"},"modules":[{"project":"token","version":"8.x-1.13","status":"enabled"}]}'`,
    );
  }
  out.write(`${[...lines, '', '  Ctrl-C stops everything that was started here.', ''].join('\n')}\n`);
}

obeySignals();
try {
  await main();
  // Nothing of our own may keep the process alive or let it end: it lives until it is told to stop.
  if (!stopping) setInterval(() => undefined, 2 ** 30);
} catch (error) {
  if (!stopping) {
    console.error(`\n${error.constructor.name === 'TypeError' ? error.stack : error.message}\n`);
    await stop('this start failed', 1);
  }
}
