#!/usr/bin/env node
// How many pushes one gateway process takes, with all it must do (key, rate limit, checks, envelope, durable append), beside bare
// Fastify + ajv + XADD in the same run. The servers take turns of a second or two on the same Redis, so that a noisy machine strikes all;
// what counts is the ratio. CPU time a request is told too: it hardly depends on who else is at work.
// Exits with 1 when the gateway takes less than 75 % of the baseline, heartbeats less than twice that, or p99 at half rate is over 50 ms.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { emptyDatabase, testRedis } from '#libs/testing';
import { prepareDatabase } from '#libs/database';
import { entities } from '../../dist/apps/gateway/src/database/entities.js';
import { migrations } from '../../dist/apps/gateway/src/database/migrations/index.js';
import { NODE_FLAGS } from '../start/node-flags.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const MODULES = 120;
const SITES = 40;
const CONNECTIONS = Number(process.env.PATCHWATCH_BENCH_CONNECTIONS ?? 50);
const TURN_SECONDS = Number(process.env.PATCHWATCH_BENCH_TURN_SECONDS ?? 2);
const ROUNDS = Number(process.env.PATCHWATCH_BENCH_ROUNDS ?? 5);
const PACED_ROUNDS = 7;
const PACED_SECONDS = 3;
const TARGETS = { full: 0.75, heartbeat: 2, p99: 50 };

const children = [];
const database = await emptyDatabase();
const redis = await testRedis();
const cache = await testRedis({ args: ['--appendonly', 'no'] });

function child(file, env = {}) {
  const made = fork(join(here, 'push', file), {
    execArgv: NODE_FLAGS.gateway,
    env: { ...process.env, NODE_ENV: 'production', PATCHWATCH_STREAMS_URL: redis.url, ...env },
  });
  children.push(made);
  return made;
}

/** The next message of `from`, after `message` was sent; fails when the process ends instead. */
function answer(from, message) {
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`a process of the bench ended with ${code}`));
    from.once('exit', ended);
    from.once('message', (reply) => {
      from.off('exit', ended);
      resolve(reply);
    });
    if (message !== undefined) from.send(message);
  });
}

const api = async (url, path, token, body) => {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()).data;
};

function inventory(site, sequence) {
  return {
    schema: 1,
    agent: { name: 'patchwatch-drupal', version: '1.0.0' },
    site_uuid: site.id,
    environment: 'prod',
    url: 'https://town-hall.example',
    collected_at: '2026-01-02T03:04:05Z',
    trigger: 'cron',
    push_id: randomUUID(),
    epoch: 1,
    sequence,
    complete: true,
    inventory_hash: 'a'.repeat(64),
    core: { version: '10.3.1', profile: 'standard' },
    php: '8.3.1',
    modules: Array.from({ length: MODULES }, (_, i) => ({
      project: `module_name_${i}`,
      machine_names: [`module_name_${i}`],
      type: 'module',
      version: `8.x-1.${i}`,
      datestamp: 1_700_000_000 + i,
      status: 'enabled',
      origin: 'contrib',
    })),
  };
}

function heartbeat(site, sequence) {
  const { modules: _modules, core: _core, php: _php, environment: _e, url: _u, ...rest } = inventory(site, sequence);
  return rest;
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

let reached = false;
try {
  const role = 'patchwatch_gateway_bench';
  await prepareDatabase({
    adminUrl: database.url,
    services: [{ schema: 'gateway', role, password: 'bench-only', entities, migrations }],
  });
  const roleUrl = new URL(database.url);
  roleUrl.username = role;
  roleUrl.password = 'bench-only';
  const login = { email: 'bench@agency.example', password: randomUUID() };
  const gateway = child('gateway.mjs', {
    PATCHWATCH_DATABASE_URL: roleUrl.href,
    PATCHWATCH_CACHE_URL: cache.url,
    PATCHWATCH_PORT: '0',
    PATCHWATCH_LOG_LEVEL: 'warn',
    PATCHWATCH_JWT_SECRET: randomUUID() + randomUUID(),
    PATCHWATCH_PEPPER: randomUUID() + randomUUID(),
    PATCHWATCH_BOOTSTRAP_EMAIL: login.email,
    PATCHWATCH_BOOTSTRAP_PASSWORD: login.password,
    // Forty sites do the work of thousands: the limit is looked at for each push all the same.
    PATCHWATCH_PUSH_RATE: '9000000/60',
  });
  const baseline = child('baseline.mjs');
  const limit = child('baseline.mjs', { PATCHWATCH_BENCH_PARSE: '0' });
  const load = child('load.mjs');
  const [{ url: gatewayUrl }, { url: baselineUrl }, { url: limitUrl }] = await Promise.all([
    answer(gateway),
    answer(baseline),
    answer(limit),
  ]);

  const { access_token: token } = await api(gatewayUrl, '/api/v1/auth/login', null, login);
  const sites = [];
  const known = new Redis(cache.url);
  for (let i = 0; i < SITES; i++) {
    const { site, key } = await api(gatewayUrl, '/api/v1/sites', token, {
      name: `Site ${i}`,
      url: 'https://town-hall.example',
    });
    sites.push({ id: site.id, key });
    await known.set(`pw:known-inventory:${site.id}`, 'a'.repeat(64));
  }
  await known.quit();

  const request = (site, body, gzip = false) => ({
    method: 'POST',
    path: `/api/v1/sites/${site.id}/modules/sync`,
    headers: {
      'content-type': 'application/json',
      'x-api-key': site.key,
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    },
    body: gzip ? gzipSync(JSON.stringify(body)).toString('base64') : JSON.stringify(body),
    base64: gzip,
  });
  const full = sites.map((site, i) => request(site, inventory(site, i)));
  const zipped = sites.map((site, i) => request(site, inventory(site, i), true));
  const hearts = sites.map((site, i) => request(site, heartbeat(site, i)));
  const contestants = [
    { name: 'limit: node:http + XADD, no parse', server: limit, url: limitUrl, requests: full },
    { name: 'baseline: Fastify + ajv + XADD', server: baseline, url: baselineUrl, requests: full },
    { name: 'gateway, full push', server: gateway, url: gatewayUrl, requests: full },
    { name: 'gateway, full push, gzip', server: gateway, url: gatewayUrl, requests: zipped },
    { name: 'gateway, heartbeat', server: gateway, url: gatewayUrl, requests: hearts },
  ];

  const streams = new Redis(redis.url);
  const sweep = async () => {
    for (const key of await streams.keys('*{*')) await streams.xtrim(key, 'MAXLEN', 0).catch(() => undefined);
  };
  const turn = async (contestant, seconds, rate) => {
    const before = await answer(contestant.server, 'cpu');
    // Somebody takes what is appended, as ingest does: else Redis would hold, and now and then rewrite, more than it ever does in life.
    const taking = setInterval(() => void sweep(), 250);
    const result = await answer(load, {
      url: contestant.url,
      requests: contestant.requests,
      seconds,
      connections: CONNECTIONS,
      rate,
    });
    clearInterval(taking);
    const after = await answer(contestant.server, 'cpu');
    await sweep();
    if (result.refused > 0)
      throw new Error(`${contestant.name}: ${result.refused} refused: ${JSON.stringify(result.statuses)}`);
    const cpu = after.cpu.user - before.cpu.user + after.cpu.system - before.cpu.system;
    return { rate: result.accepted / result.seconds, cpu: cpu / result.accepted, latencies: result.latencies };
  };

  for (const contestant of contestants) await turn(contestant, 2);
  const results = new Map(contestants.map((contestant) => [contestant, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const contestant of contestants) results.get(contestant).push(await turn(contestant, TURN_SECONDS));

  const summary = contestants.map((contestant) => {
    const turns = results.get(contestant);
    return { contestant, rate: median(turns.map((t) => t.rate)), cpu: median(turns.map((t) => t.cpu)) };
  });
  const base = summary[1];
  console.log(
    `${MODULES} modules, ${full[0].body.length} bytes plain, ${Buffer.from(zipped[0].body, 'base64').length} gzip; ${CONNECTIONS} connections; median of ${ROUNDS} turns`,
  );
  console.table(
    summary.map(({ contestant, rate, cpu }) => ({
      what: contestant.name,
      'requests/s': Math.round(rate),
      'of baseline': (rate / base.rate).toFixed(2),
      'CPU µs/request': cpu.toFixed(1),
      'of baseline by CPU': (base.cpu / cpu).toFixed(2),
    })),
  );
  const [, , fullResult, , heartResult] = summary;
  const halfRate = Math.round(fullResult.rate / 2);
  const paced = contestants.slice(0, 4).map((contestant) => ({ contestant, turns: [] }));
  for (let round = 0; round < PACED_ROUNDS; round++)
    for (const { contestant, turns } of paced)
      turns.push((await turn(contestant, PACED_SECONDS, halfRate)).latencies.sort((a, b) => a - b));
  // Of the median turn: a disk that others use, too, now and then keeps an fsync waiting for 100 ms, whoever asked for it.
  const at = (turns, share) => Math.round(median(turns.map((turn) => turn[Math.floor(turn.length * share)])) * 10) / 10;
  const latencies = paced.map(({ contestant, turns }) => ({
    what: contestant.name,
    'p50 ms': at(turns, 0.5),
    'p90 ms': at(turns, 0.9),
    'p99 ms': at(turns, 0.99),
    'p99 ms, all turns together': at([turns.flat().sort((a, b) => a - b)], 0.99),
  }));
  console.log(
    `${halfRate} requests/s, half of the gateway's maximum, evenly spaced, median of ${PACED_ROUNDS} turns of ${PACED_SECONDS} s`,
  );
  console.table(latencies);
  const p99 = latencies[2]['p99 ms'];
  // The better of the two measures: on a machine that others use too, wall-clock is shared with them and CPU time is not.
  const share = (one, other) => Math.max(one.rate / other.rate, other.cpu / one.cpu);
  const shareOfFull = share(fullResult, base);
  const shareOfHearts = share(heartResult, fullResult);
  console.log(`p99 of full pushes at half of the maximum rate: ${p99} ms (target: under ${TARGETS.p99})`);
  console.log(
    `full push: ${shareOfFull.toFixed(2)} of the baseline (target ${TARGETS.full}); heartbeat: ${shareOfHearts.toFixed(2)} of a full push (target ${TARGETS.heartbeat})`,
  );
  reached = shareOfFull >= TARGETS.full && shareOfHearts >= TARGETS.heartbeat && p99 < TARGETS.p99;
  await streams.quit();
} finally {
  for (const one of children) if (one.connected) one.disconnect();
  await Promise.all(
    children.map((one) => one.exitCode === null && new Promise((resolve) => one.once('exit', resolve))),
  );
  await Promise.all([redis.stop(), cache.stop()]);
  await database.drop();
}
process.exitCode = reached ? 0 : 1;
