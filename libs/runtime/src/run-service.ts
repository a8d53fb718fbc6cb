import type { Registry } from 'prom-client';
import { ConfigError, loadConfig } from './config.js';
import type { ServiceConfig } from './config.js';
import { startHealthServer } from './health-server.js';
import { createLogger } from './logger.js';
import type { Logger } from './logger.js';
import { metrics } from './metrics.js';
import type { Readiness, RunningService } from './running-service.js';

/** How long an orderly stop may take before the process ends anyway. Kubernetes' default grace is 30 s. */
const STOP_TIMEOUT_MS = 20_000;

/**
 * The whole life of a service's process: settings, start, health, orderly stop on SIGTERM and SIGINT. The only place that ends a process.
 * While starting and stopping `/readyz` says no. An error that nobody caught ends the process with code 1 at once: every step is safe
 * against a crash, and whoever supervises starts it anew; to go on in an unknown state is not safe.
 */
export async function runService(
  service: string,
  start: (config: ServiceConfig) => Promise<RunningService>,
): Promise<void> {
  let config: ServiceConfig;
  try {
    config = loadConfig(service);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    createLogger(service).fatal(error.message);
    process.exit(78); // EX_CONFIG: starting again does not help
  }
  await runProcess({
    name: service,
    logger: createLogger(service, { level: config.logLevel }),
    health: { host: config.host, port: config.healthPort, registry: metrics(service) },
    start: () => start(config),
  });
}

export interface ProcessOptions {
  readonly name: string;
  readonly logger: Logger;
  readonly health: { readonly host: string; readonly port: number; readonly registry: Registry | readonly Registry[] };
  readonly start: () => Promise<RunningService>;
}

/** As `runService`, for a process that is composed in another way (all services in one). */
export async function runProcess({ name, logger, health, start }: ProcessOptions): Promise<void> {
  let running: RunningService | undefined;
  let stopping = false;
  const ready = async (): Promise<Readiness> => {
    if (stopping) return { ok: false, checks: { process: { ok: false, detail: 'stopping' } } };
    if (!running) return { ok: false, checks: { process: { ok: false, detail: 'starting' } } };
    return running.ready();
  };

  const crash =
    (what: string) =>
    (error: unknown): void => {
      logger.fatal({ err: error }, what);
      process.exit(1);
    };
  process.on('uncaughtException', crash('an error that nobody caught'));
  process.on('unhandledRejection', crash('a rejection that nobody handled'));

  const healthServer = await startHealthServer({ ...health, ready }).catch((error: unknown) => {
    logger.fatal({ err: error, port: health.port }, 'the health port cannot be listened on');
    return process.exit(1);
  });

  const stop = async (reason: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, 'stopping');
    setTimeout(() => {
      logger.error({ timeout_ms: STOP_TIMEOUT_MS }, 'the orderly stop took too long');
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    try {
      // A stop that arrives while starting waits for the start: half a service cannot be stopped in order.
      await started;
      await running?.stop();
      await healthServer.close();
      logger.info('stopped');
      process.exit(0);
    } catch (error) {
      logger.fatal({ err: error }, 'the orderly stop failed');
      process.exit(1);
    }
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  // Started by a script that went away without a word (kill -9): nobody would ever stop this process.
  if (process.connected) process.on('disconnect', () => void stop('the starter is gone'));

  const begun = performance.now();
  const started = start().then(
    (service) => {
      running = service;
      logger.info(
        { health_port: healthServer.port, took_ms: Math.round(performance.now() - begun) },
        `${name} started`,
      );
    },
    (error: unknown) => {
      logger.fatal({ err: error }, `${name} cannot start`);
      process.exit(1);
    },
  );
  await started;
}
