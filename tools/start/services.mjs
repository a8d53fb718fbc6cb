// The processes of Patchwatch itself and what each of them is told.
import { join } from 'node:path';
import { freePort } from '../ladder/machine.mjs';
import { Child } from '../ladder/child.mjs';
import { NODE_FLAGS } from './node-flags.mjs';

export const SERVICES = ['gateway', 'ingest', 'catalog', 'reporting', 'notifier'];

/** Of our own environment a service sees its product's settings and what Node and TLS need; nothing else. */
const PASSED_ON =
  /^(PATCHWATCH_.*|PATH|HOME|TMPDIR|LANG|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY)$/;
/** Settings that only this script or one service may see. */
const KEPT_BACK =
  /^PATCHWATCH_(DATABASE_URL|\w+_DATABASE_URL|JWT_SECRET(_PREVIOUS)?|PEPPER|BOOTSTRAP_\w+|SMTP_URL|HOST|PORT|HEALTH_PORT|SKIP_RUNGS)$/;

const inherited = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name) && !KEPT_BACK.test(name)));

/** A setting of our own environment, if it is there. */
const given = (name) => (process.env[name] ? { [name]: process.env[name] } : {});

/**
 * @param {object} setup
 * @param {string} setup.root
 * @param {import('../ladder/place.mjs').Place} setup.place
 * @param {{adminUrl: string, streamsUrl: string, cacheUrl: string, upstreamUrl: string}} setup.needs
 * @param {{host: string, port: number, single: boolean}} setup.options
 * @param {{email: string, password: string}} setup.firstLogin
 * @param {(text: string) => void} setup.say
 * @returns {Promise<Child[]>} not started yet, the gateway first
 */
export async function makeServices({ root, place, needs, options, firstLogin, say }) {
  const databaseUrls = serviceDatabaseUrls(needs.adminUrl, place);
  const everyone = {
    ...inherited(),
    TZ: 'UTC',
    NODE_ENV: 'production',
    PATCHWATCH_STREAMS_URL: needs.streamsUrl,
    PATCHWATCH_CACHE_URL: needs.cacheUrl,
    PATCHWATCH_UPSTREAM: needs.upstreamUrl,
    PATCHWATCH_HOST: '127.0.0.1',
  };
  const gateway = {
    PATCHWATCH_HOST: options.host,
    PATCHWATCH_PORT: String(options.port),
    PATCHWATCH_JWT_SECRET: process.env.PATCHWATCH_JWT_SECRET || place.secret('jwt-secret'),
    ...given('PATCHWATCH_JWT_SECRET_PREVIOUS'),
    PATCHWATCH_PEPPER: process.env.PATCHWATCH_PEPPER || place.secret('pepper'),
    PATCHWATCH_BOOTSTRAP_EMAIL: firstLogin.email,
    PATCHWATCH_BOOTSTRAP_PASSWORD: firstLogin.password,
  };
  // Its address holds a password.
  const notifier = given('PATCHWATCH_SMTP_URL');
  const make = async (name, flags, env) => {
    const healthPort = await freePort();
    const healthHost =
      env.PATCHWATCH_HOST === '0.0.0.0' || env.PATCHWATCH_HOST === '::' ? '127.0.0.1' : env.PATCHWATCH_HOST;
    return new Child({
      name,
      command: process.execPath,
      args: ['--enable-source-maps', ...flags, join(root, 'dist', 'apps', name, 'src', 'main.js')],
      env: { ...env, PATCHWATCH_HEALTH_PORT: String(healthPort) },
      cwd: root,
      logFile: place.log(name),
      pidFile: place.pidFile(name),
      tethered: true,
      ready: () => answersOk(`http://${healthHost}:${healthPort}/readyz`),
      say,
    });
  };
  if (options.single) {
    const urls = Object.fromEntries(
      SERVICES.map((service) => [`PATCHWATCH_${service.toUpperCase()}_DATABASE_URL`, databaseUrls[service]]),
    );
    return [await make('single', NODE_FLAGS.gateway, { ...everyone, ...gateway, ...notifier, ...urls })];
  }
  return Promise.all(
    SERVICES.map((service) =>
      make(service, NODE_FLAGS[service] ?? [], {
        ...everyone,
        ...(service === 'gateway' ? gateway : {}),
        ...(service === 'notifier' ? notifier : {}),
        PATCHWATCH_DATABASE_URL: databaseUrls[service],
      }),
    ),
  );
}

/** Environment for the migration: the admin's URL and each service's password. */
export function migrationEnvironment(adminUrl, place) {
  const passwords = SERVICES.map((service) => [
    `PATCHWATCH_${service.toUpperCase()}_DATABASE_PASSWORD`,
    rolePassword(service, place),
  ]);
  return { ...inherited(), PATCHWATCH_ADMIN_DATABASE_URL: adminUrl, ...Object.fromEntries(passwords) };
}

/** A stand-in for Drupal.org that serves recorded releases and advisories. @returns {Promise<{child: Child, url: string}>} */
export async function makeUpstream({ root, place, say }) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = new Child({
    name: 'stand-in for Drupal.org',
    command: process.execPath,
    args: ['--enable-source-maps', join(root, 'dist', 'tools', 'upstream', 'main.js')],
    env: { ...inherited(), PATCHWATCH_UPSTREAM_PORT: String(port), PATCHWATCH_UPSTREAM_HOST: '127.0.0.1' },
    cwd: root,
    logFile: place.log('upstream'),
    pidFile: place.pidFile('upstream'),
    ready: () => answersOk(`${url}/release-history/drupal/current`),
    say,
  });
  return { child, url };
}

/** Names of everything that may have been left behind by a run that was killed, besides the servers. */
export const LEFT_BEHIND = [...SERVICES, 'single', 'upstream'];

const rolePassword = (service, place) => place.secret(`postgres-${service}`);

/** Where each service finds its schema, by service. */
export function serviceDatabaseUrls(adminUrl, place) {
  return Object.fromEntries(SERVICES.map((service) => [service, databaseUrl(adminUrl, service, place)]));
}

function databaseUrl(adminUrl, service, place) {
  const url = new URL(adminUrl);
  url.username = `patchwatch_${service}`;
  url.password = encodeURIComponent(rolePassword(service, place));
  return url.href;
}

async function answersOk(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(4_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
