import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import type { DataSource } from 'typeorm';
import type { RpcDefinition } from '#libs/contracts';
import { asSystem, classifySqlError, createDataSource, type DatabaseOptions } from '#libs/database';
import { metrics, NestLogger, startTracing, type Logger, type RunningService, type ServiceConfig } from '#libs/runtime';
import { RpcUnavailableError, StreamsRpcServer } from '#libs/streams';
import { PostgresDeadLetterStore } from './dead-letter-store.js';
import { questionMetrics } from './messaging-metrics.js';
import { MessagingRuntime } from './messaging-runtime.js';
import { daysToKeep, Retention, type RetentionRule } from './retention.js';
import type { SideWork } from './side-work.js';
import { aroundQuestion } from './work-scope.js';

/** What makes one worker different from the others. */
export interface WorkerPlan {
  /** Its `service` names the schema, the RPC server and the connections. */
  readonly config: ServiceConfig;
  readonly logger: Logger;
  readonly database: Pick<DatabaseOptions, 'entities' | 'migrations' | 'poolSize' | 'pipeline'>;
  /** What it answers; without them it has no RPC server. */
  readonly questions?: readonly RpcDefinition[];
  /** The service's module, with its MessagingModule; `dataSource` is initialised. */
  readonly module: (dataSource: DataSource) => DynamicModule;
  /** What must be done before the first message is taken. */
  readonly prepare?: (app: INestApplicationContext) => Promise<unknown>;
  /** By the name that readiness shows. */
  readonly besides?: (app: INestApplicationContext) => Readonly<Record<string, SideWork>>;
  /** Tables that do not keep everything; resolved dead letters are among them without being named. */
  readonly retention?: (app: INestApplicationContext) => readonly RetentionRule[];
  /** Closes what the caller has opened: after everything but the database, also when the start fails. */
  readonly closers?: readonly (() => unknown)[];
}

/**
 * The life of a service that lives by messages: database, questions, messages, side work. It stops in the opposite order, the database last;
 * one part that cannot stop in good order does not keep the others running.
 * @throws when the database or Redis is away, or when a message or a question has no handler; then nothing runs.
 */
export async function startWorker(plan: WorkerPlan): Promise<RunningService> {
  const { config, logger } = plan;
  const { service } = config;
  const dataSource = createDataSource({
    url: config.databaseUrl,
    schema: service,
    applicationName: `patchwatch-${service}`,
    onPoolError: (error) => logger.warn({ err: error }, 'an idle database connection failed'),
    ...plan.database,
  });
  const questions = plan.questions === undefined ? undefined : answering(plan.questions, config, logger);
  const tracing = await startTracing(service, config.env);
  // First what is stopped first.
  const closers: (() => unknown)[] = [
    () => questions?.close(),
    ...(plan.closers ?? []),
    () => (dataSource.isInitialized ? dataSource.destroy() : undefined),
    () => tracing?.stop(),
  ];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0)) {
      try {
        await close();
      } catch (error) {
        logger.error({ err: error }, 'stopping went wrong');
      }
    }
  };
  try {
    await dataSource.initialize();
    const app = await open(plan.module(dataSource), questions, logger);
    closers.unshift(() => app.close());
    const messaging = app.get(MessagingRuntime);
    closers.unshift(() => messaging.stop());
    // What a worker does besides its messages, it does for the platform.
    await asSystem(() => plan.prepare?.(app));
    await messaging.start();
    const rules = [lettersRule(config), ...(plan.retention?.(app) ?? [])];
    const besides = Object.entries<SideWork>({
      ...plan.besides?.(app),
      retention: new Retention(dataSource, rules, service, logger),
    });
    for (const [, work] of besides) {
      closers.unshift(() => work.stop());
      asSystem(() => work.start());
    }
    return {
      name: service,
      ready: async () => {
        const { ok, checks } = await messaging.ready();
        const own = besides.flatMap(([name, work]) => (work.health ? [[name, work.health()] as const] : []));
        if (questions) own.push(['questions', questions.health()]);
        return { ok: ok && own.every(([, check]) => check.ok), checks: { ...checks, ...Object.fromEntries(own) } };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Replayed and discarded letters; open ones stay until somebody has decided. */
function lettersRule(config: ServiceConfig): RetentionRule {
  const store = new PostgresDeadLetterStore();
  return {
    table: 'dead_letters',
    days: daysToKeep(config, 'PATCHWATCH_DEAD_LETTERS_DAYS', 90),
    remove: (manager, before, limit) => store.forget(manager, before, limit),
  };
}

/** The Nest application; with questions it answers from now on. */
async function open(
  module: DynamicModule,
  questions: StreamsRpcServer | undefined,
  logger: Logger,
): Promise<INestApplicationContext> {
  const options = { logger: new NestLogger(logger), abortOnError: false };
  if (!questions) return NestFactory.createApplicationContext(module, options);
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, { ...options, strategy: questions });
  try {
    await app.listen();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** A database that is away is no fault of the question: whoever asked is told to ask again. */
function answering(definitions: readonly RpcDefinition[], config: ServiceConfig, logger: Logger): StreamsRpcServer {
  return new StreamsRpcServer({
    service: config.service,
    url: config.cacheUrl,
    definitions,
    around: aroundQuestion(config.service),
    observer: questionMetrics(metrics(config.service)),
    log: logger,
    errorOf: (error) => {
      if (classifySqlError(error) !== 'infrastructure') return undefined;
      logger.warn({ err: error }, 'a question could not be answered: the database is away');
      return new RpcUnavailableError(`The database of ${config.service} is away; ask again in a moment.`, {
        cause: error,
      });
    },
  });
}
