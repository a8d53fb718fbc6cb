import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const HELP = `Starts Patchwatch: finds or starts Postgres and Redis, builds, migrates, runs the services, loads the demonstration once.

npm start -- [options]
  --data DIR   keep everything in DIR (default: .data); with another PATCHWATCH_PORT two can run side by side
  --empty      start without the demonstration
  --single     all services in one process
  --json       print one JSON line on standard output when ready; everything else goes to standard error
  --help       this text

Environment
  PATCHWATCH_PORT           port of the gateway on 127.0.0.1 (default 8080)
  PATCHWATCH_HOST           address that the gateway listens on (default 127.0.0.1)
  PATCHWATCH_DATABASE_URL   a Postgres to use (also DATABASE_URL); its role may create roles and schemas
  PATCHWATCH_STREAMS_URL    a Redis for messages (also REDIS_URL): appendonly yes, appendfsync always, noeviction
  PATCHWATCH_CACHE_URL      a Redis for what may vanish
  PATCHWATCH_UPSTREAM       Drupal.org's update service, for example https://updates.drupal.org
                            (default: a local stand-in that serves recorded releases and advisories)
  PATCHWATCH_BOOTSTRAP_EMAIL, PATCHWATCH_BOOTSTRAP_PASSWORD   the first login (default: made at the first start)
Ctrl-C stops everything that was started.`;

/**
 * @param {string[]} args
 * @param {string} root relative folders count from here
 * @throws TypeError for an option that does not exist
 */
export function readOptions(args, root) {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string', default: '.data' },
      empty: { type: 'boolean', default: false },
      single: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const port = process.env.PATCHWATCH_PORT || '8080';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw new TypeError(`PATCHWATCH_PORT is "${port}"; it must be a port number`);
  return {
    ...values,
    data: resolve(root, values.data),
    host: process.env.PATCHWATCH_HOST || '127.0.0.1',
    port: Number(port),
  };
}
