import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createDataSource } from '#libs/database';
import { MessagingRuntime, PUBLISHER } from '#libs/outbox';
import {
  createLogger,
  currentCorrelationId,
  currentTraceparent,
  metrics,
  NestLogger,
  startTracing,
  type RunningService,
  type ServiceConfig,
} from '#libs/runtime';
import { connectRedis, RpcClient } from '#libs/streams';
import { AuditLog } from './audit/audit-log.service.js';
import { SealAuditLog } from './audit/seal-audit-log.service.js';
import { entities } from './database/entities.js';
import { migrations } from './database/migrations/index.js';
import { GatewayModule } from './gateway.module.js';
import { GatewayReadiness } from './health/readiness.service.js';
import { createFastify, prepareNestRoutes } from './http/server.js';
import { Bootstrap } from './identity/bootstrap.service.js';
import { PasswordHasher } from './login/password-hasher.service.js';
import { serveDocs } from './openapi/openapi.module.js';
import { AcceptPush, type AdmittingPublisher } from './push/accept-push.service.js';
import { AcceptedPushes } from './push/accepted-pushes.repository.js';
import { KnownInventories } from './push/known-inventories.repository.js';
import { pushMetrics } from './push/push-metrics.js';
import { PushController } from './push/push.controller.js';
import { SharedRateLimiter } from './push/shared-rate-limiter.service.js';
import { WatchIdentity } from './quarantine/watch-identity.service.js';
import { PlanRates } from './rate-limit/plan-rates.service.js';
import { gatewaySettings } from './settings.js';
import { KeyChanges } from './site-key/key-changes.service.js';
import { SiteKeyDirectory } from './site-key/site-key-directory.service.js';

/** A gateway that runs: where it listens is known only then (port 0). */
export interface RunningGateway extends RunningService {
  readonly url: string;
}

/**
 * Starts the gateway: connections, application, first superuser, messages, and at last the port. Stops in the opposite order: no new
 * connection, what is under way is answered, audit lines are written, then Redis and the database.
 * @throws when settings are wrong, the database or the streams' Redis is away, or the port is taken; then nothing runs.
 */
export async function startGateway(config: ServiceConfig): Promise<RunningGateway> {
  const settings = gatewaySettings(config);
  const logger = createLogger('gateway', { level: config.logLevel });
  const tracing = await startTracing('gateway', config.env);
  const dataSource = createDataSource({
    url: config.databaseUrl,
    schema: 'gateway',
    entities,
    migrations,
    applicationName: 'patchwatch-gateway',
    poolSize: 10,
    statementTimeoutMs: 5_000,
    onPoolError: (error) => logger.warn({ err: error }, 'an idle database connection failed'),
  });
  const cache = connectRedis(config.cacheUrl, { name: 'gateway:cache', role: 'cache', log: logger });
  const streams = connectRedis(config.streamsUrl, { name: 'gateway:progress', role: 'streams', log: logger });
  const rpc = new RpcClient({
    url: config.cacheUrl,
    name: 'gateway',
    correlationId: currentCorrelationId,
    traceparent: currentTraceparent,
    log: logger,
  });
  const pushRates = new PlanRates('push', settings.pushRate, cache);
  const wrongKeyRate = new SharedRateLimiter(settings.wrongKeyRate, cache);
  const closers: (() => unknown)[] = [
    () => rpc.stop(),
    () => pushRates.stop(),
    () => wrongKeyRate.stop(),
    () => cache.close(),
    () => streams.close(),
    () => (dataSource.isInitialized ? dataSource.destroy() : undefined),
    () => tracing?.stop(),
  ];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      for (const close of closers) {
        try {
          await close();
        } catch (error) {
          logger.error({ err: error }, 'stopping went wrong');
        }
      }
    })();
    return stopping;
  };
  try {
    await dataSource.initialize();
    await rpc.start();
    const fastify = createFastify(settings);
    const push = new PushController();
    // Before Nest's adapter adds its hooks: the push route gets none of them.
    await push.register(fastify);
    const app = await NestFactory.create<NestFastifyApplication>(
      GatewayModule.with({ config, settings, logger, dataSource, cache, streams, rpc }),
      new FastifyAdapter(fastify as never),
      { logger: new NestLogger(logger), abortOnError: false, bodyParser: false },
    );
    closers.unshift(() => app.close());
    prepareNestRoutes(app, logger);
    serveDocs(app);
    const keys = app.get(SiteKeyDirectory);
    push.connect({
      keys,
      pushRates,
      wrongKeyRate,
      acceptPush: new AcceptPush(
        app.get<AdmittingPublisher>(PUBLISHER),
        new KnownInventories(cache),
        app.get(AcceptedPushes),
        app.get(WatchIdentity),
      ),
      audit: app.get(AuditLog),
      metrics: pushMetrics(metrics('gateway')),
      logger,
      tracing,
    });
    await app.init();
    await makeFirstSuperuser(app, settings.bootstrap, logger);
    await app.get(MessagingRuntime).start();
    app.get(KeyChanges).start();
    app.get(SealAuditLog).start();
    await app.listen(config.port, config.host);
    const url = await app.getUrl();
    logger.info({ url }, 'the gateway listens');
    return { name: 'gateway', url, ready: () => app.get(GatewayReadiness).ready(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeFirstSuperuser(
  app: NestFastifyApplication,
  first: ReturnType<typeof gatewaySettings>['bootstrap'],
  logger: ReturnType<typeof createLogger>,
): Promise<void> {
  if (first === null) return;
  const hasher = app.get(PasswordHasher);
  const made = await app.get(Bootstrap).makeFirstSuperuser({
    email: first.email,
    organization: first.organization,
    passwordHash: () => hasher.hash(first.password),
  });
  if (made) logger.info({ email: first.email }, 'the first superuser was made');
}
