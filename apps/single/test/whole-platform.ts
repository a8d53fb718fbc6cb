import { randomBytes } from 'node:crypto';
import { SERVICES, type ServiceName } from '#libs/contracts';
import { urlForRole } from '#libs/database';
import { loadConfig, type RunningService, type ServiceConfig } from '#libs/runtime';
import { dropRoles, emptyDatabase, freePort, testRedis } from '#libs/testing';
import { ApiClient } from '../../../tools/cli/api-client.js';
import { migrate } from '../../../tools/migrate/main.js';
import { startUpstream } from '../../../tools/upstream/server.js';
import { startCatalog } from '../../catalog/src/start.js';
import { startGateway } from '../../gateway/src/start.js';
import { startIngest } from '../../ingest/src/start.js';
import { startNotifier } from '../../notifier/src/start.js';
import { startReporting } from '../../reporting/src/start.js';

const STARTS: Record<ServiceName, (config: ServiceConfig) => Promise<RunningService>> = {
  ingest: startIngest,
  catalog: startCatalog,
  reporting: startReporting,
  notifier: startNotifier,
  gateway: startGateway,
};

/** All services in this very process, as `apps/single` composes them, with a Postgres and a Redis of their own. */
export interface WholePlatform {
  readonly url: string;
  /** Signed in as the first superuser. */
  readonly client: ApiClient;
  stop(): Promise<void>;
}

export async function wholePlatform(env: Record<string, string>): Promise<WholePlatform> {
  const run = randomBytes(4).toString('hex');
  const secret = randomBytes(32).toString('hex');
  const roleOf = (service: ServiceName): string => `patchwatch_${service}_${run}`;
  const [database, redis, upstream, port] = await Promise.all([
    emptyDatabase(),
    testRedis(),
    startUpstream({ port: 0, host: '127.0.0.1' }),
    freePort(),
  ]);
  const running: RunningService[] = [];
  const stop = async (): Promise<void> => {
    for (const service of running.reverse()) await service.stop();
    await Promise.all([upstream.stop(), redis.stop()]);
    await database.drop();
    await dropRoles(SERVICES.map(roleOf));
  };
  try {
    await migrate(database.url, () => secret, roleOf);
    for (const service of [...SERVICES].sort((a, b) => Number(a === 'gateway') - Number(b === 'gateway'))) {
      const config = loadConfig(service, {
        PATCHWATCH_DATABASE_URL: urlForRole(database.url, roleOf(service), secret),
        PATCHWATCH_STREAMS_URL: redis.url,
        PATCHWATCH_PORT: String(port),
        PATCHWATCH_UPSTREAM: upstream.url,
        PATCHWATCH_JWT_SECRET: secret,
        PATCHWATCH_PEPPER: secret,
        PATCHWATCH_BOOTSTRAP_EMAIL: 'root@patchwatch.example',
        PATCHWATCH_BOOTSTRAP_PASSWORD: secret,
        PATCHWATCH_PASSWORD_COST: '4',
        PATCHWATCH_LOG_LEVEL: 'silent',
        ...env,
      });
      running.push(await STARTS[service](config));
    }
    const client = new ApiClient(`http://127.0.0.1:${port}`);
    await client.login('root@patchwatch.example', secret);
    return { url: client.baseUrl, client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
