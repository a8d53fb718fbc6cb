import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { SERVICES, type ServiceName } from '#libs/contracts';
import { urlForRole } from '#libs/database';
import { dropRoles, emptyDatabase, freePort, testRedis, type TestRedis } from '#libs/testing';
import { ApiClient } from '../../tools/cli/api-client.js';
import { migrate } from '../../tools/migrate/main.js';
import { startUpstream, type Upstream } from '../../tools/upstream/server.js';
import { ServiceProcess } from './processes.js';

/** The whole platform as a black box: five real processes, real Postgres and Redis, and a stand-in for Drupal.org. */
export interface System {
  readonly url: string;
  /** Signed in as the first superuser. */
  readonly client: ApiClient;
  /** Of the first superuser. */
  readonly login: { readonly email: string; readonly password: string };
  readonly services: Record<ServiceName, ServiceProcess>;
  readonly redis: TestRedis;
  /** What may vanish; the same one unless it was asked to be another. */
  readonly cache: TestRedis;
  /** As the owner of all schemas. */
  readonly databaseUrl: string;
  readonly upstream: Upstream;
  /** Reads a service's own tables, for assertions that no API can make. */
  query<T extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<T[]>;
  stop(): Promise<void>;
}

export interface SystemOptions {
  /** More settings of all services. */
  readonly env?: Record<string, string>;
  /** What may vanish in a Redis of its own that keeps nothing on disk, as `npm start` has it; else the two roles share one. */
  readonly ownCache?: boolean;
}

/** Starts a platform of its own for one suite. */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const run = randomBytes(4).toString('hex');
  const password = randomBytes(16).toString('hex');
  const roleOf = (service: ServiceName) => `patchwatch_${service}_${run}`;
  const [database, redis, upstream] = await Promise.all([
    emptyDatabase(),
    testRedis(),
    startUpstream({ port: 0, host: '127.0.0.1' }),
  ]);
  const cache = options.ownCache ? await testRedis({ args: ['--appendonly', 'no'] }) : redis;
  await migrate(database.url, () => password, roleOf);

  const email = 'root@patchwatch.example';
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const services = {} as Record<ServiceName, ServiceProcess>;
  for (const service of SERVICES) {
    const healthPort = await freePort();
    services[service] = new ServiceProcess(
      service,
      {
        PATCHWATCH_DATABASE_URL: urlForRole(database.url, roleOf(service), password),
        PATCHWATCH_STREAMS_URL: redis.url,
        PATCHWATCH_CACHE_URL: cache.url,
        PATCHWATCH_PORT: String(port),
        PATCHWATCH_HEALTH_PORT: String(healthPort),
        PATCHWATCH_UPSTREAM: upstream.url,
        PATCHWATCH_JWT_SECRET: randomBytes(32).toString('hex'),
        PATCHWATCH_PEPPER: randomBytes(32).toString('hex'),
        PATCHWATCH_BOOTSTRAP_EMAIL: email,
        PATCHWATCH_BOOTSTRAP_PASSWORD: password,
        // What makes guessing dear makes every log-in of a story dear, too.
        PATCHWATCH_PASSWORD_COST: '4',
        PATCHWATCH_LOG_LEVEL: 'info',
        ...options.env,
      },
      service === 'gateway' ? `${url}/readyz` : `http://127.0.0.1:${healthPort}/readyz`,
    );
  }
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  const stop = async () => {
    await Promise.all(SERVICES.map((service) => services[service].stop()));
    await pool.end();
    await Promise.all([upstream.stop(), redis.stop(), ...(cache === redis ? [] : [cache.stop()])]);
    await database.drop();
    await dropRoles(SERVICES.map(roleOf));
  };
  try {
    await Promise.all(SERVICES.map((service) => services[service].start()));
    const client = new ApiClient(url);
    await client.login(email, password);
    return {
      url,
      client,
      login: { email, password },
      services,
      redis,
      cache,
      databaseUrl: database.url,
      upstream,
      query: async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
        (await pool.query<T>(sql, values)).rows,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
