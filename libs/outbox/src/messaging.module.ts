import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { QUEUES } from '#libs/contracts';
import { TypeOrmUnitOfWork } from '#libs/database';
import { createLogger, failPoints, metrics, type ServiceConfig } from '#libs/runtime';
import {
  connectRedis,
  RedisBroker,
  RedisPublisher,
  type AdmissionGate,
  type RedisConnection,
  type StreamsLog,
  type StreamsObserver,
} from '#libs/streams';
import { breakablePublisher } from './breakable.js';
import { consumerTuning } from './consumer-tuning.js';
import { PostgresDeadLetterStore } from './dead-letter-store.js';
import { messagingMetrics } from './messaging-metrics.js';
import { MessagingRuntime, type MessagingParts } from './messaging-runtime.js';
import { NudgingUnitOfWork } from './nudging-unit-of-work.js';
import { OutboxRelay } from './outbox-relay.js';
import { QUEUE_STREAMS, QueueLag } from './queue-lag.js';
import { TableOutbox } from './table-outbox.js';

/** `Outbox`: events that are sent when, and only when, the transaction commits. */
export const OUTBOX = Symbol('OUTBOX');
/** `RedisPublisher`: straight to a stream (pushes). */
export const PUBLISHER = Symbol('PUBLISHER');
/** `UnitOfWork<EntityManager>`: the transaction; after a commit with events the relay is nudged. */
export const UNIT_OF_WORK = Symbol('UNIT_OF_WORK');
const PARTS = Symbol('MESSAGING_PARTS');

export interface MessagingOptions {
  /** Name of the service, which is its schema's too. */
  readonly service: string;
  readonly config: Pick<
    ServiceConfig,
    'databaseUrl' | 'streamsUrl' | 'streamsReplicas' | 'partitions' | 'logLevel' | 'env'
  >;
  /** The service's own; initialised before messaging starts and destroyed after it has stopped. */
  readonly dataSource: DataSource;
  readonly log?: StreamsLog;
  /** Makes the gate that closes queues to the publisher; started and stopped with messaging. Only the gateway needs one. */
  readonly admission?: (connection: RedisConnection, observer: StreamsObserver) => AdmissionGate;
}

/**
 * Messaging of one service, visible to all its modules: `OUTBOX`, `PUBLISHER`, `UNIT_OF_WORK`, `QueueLag`, `PostgresDeadLetterStore`, and `MessagingRuntime`,
 * which starts the consumers of all `@QueueHandler` classes and the relay.
 */
@Module({})
export class MessagingModule {
  static forService(options: MessagingOptions): DynamicModule {
    const part = (token: symbol, pick: (parts: MessagingParts & { outbox: TableOutbox }) => unknown) => ({
      provide: token,
      inject: [PARTS],
      useFactory: pick,
    });
    return {
      module: MessagingModule,
      global: true,
      imports: [DiscoveryModule],
      providers: [
        { provide: PARTS, useFactory: () => assemble(options) },
        { provide: PostgresDeadLetterStore, useFactory: () => new PostgresDeadLetterStore() },
        part(QUEUE_STREAMS, ({ connection, partitions }) => ({ connection, partitions })),
        QueueLag,
        part(OUTBOX, ({ outbox }) => outbox),
        part(PUBLISHER, ({ publisher }) => publisher),
        part(UNIT_OF_WORK, ({ unitOfWork }) => unitOfWork),
        {
          provide: MessagingRuntime,
          inject: [PARTS, DiscoveryService],
          useFactory: (parts: MessagingParts, discovery: DiscoveryService) => new MessagingRuntime(parts, discovery),
        },
      ],
      exports: [OUTBOX, PUBLISHER, UNIT_OF_WORK, QueueLag, PostgresDeadLetterStore, MessagingRuntime],
    };
  }
}

function assemble({
  service,
  config,
  dataSource,
  ...options
}: MessagingOptions): MessagingParts & { outbox: TableOutbox } {
  const log = options.log ?? createLogger(service, { level: config.logLevel });
  const registry = metrics(service);
  const observers = messagingMetrics(registry);
  const connection = connectRedis(config.streamsUrl, {
    name: `${service}:publish`,
    role: 'streams',
    log,
    onReplaced: (reason) => observers.streams.clientReplaced?.('publish', reason),
  });
  const admission = options.admission?.(connection, observers.streams);
  const partitioned = new Set(
    Object.values(QUEUES)
      .filter((queue) => queue.partitioned)
      .map((queue): string => queue.name),
  );
  const publisher = new RedisPublisher({
    connection,
    partitionsOf: (queue) => (partitioned.has(queue) ? config.partitions : 1),
    replicas: config.streamsReplicas ?? 0,
    observer: observers.streams,
    log,
    ...(admission === undefined ? {} : { admission }),
  });
  const breakPoints = failPoints(config.env);
  if (breakPoints !== null) log.warn({ rules: config.env['PATCHWATCH_FAIL_POINTS'] }, 'fail points are active');
  const outbox = new TableOutbox();
  const relay = new OutboxRelay({
    url: config.databaseUrl,
    schema: service,
    publisher: breakPoints === null ? publisher : breakablePublisher(publisher, breakPoints),
    observer: observers.relay,
    log,
  });
  return {
    service,
    partitions: config.partitions,
    allowLossyStreams: config.env['PATCHWATCH_ALLOW_LOSSY_STREAMS'] === '1',
    tuning: consumerTuning(config.env),
    failPoints: breakPoints,
    dataSource,
    connection,
    publisher,
    broker: new RedisBroker({ connection, publisher, observer: observers.streams, log }),
    admission,
    outbox,
    relay,
    unitOfWork: new NudgingUnitOfWork(new TypeOrmUnitOfWork(dataSource), outbox, relay),
    deadLetters: new PostgresDeadLetterStore(),
    observer: observers.streams,
    registry,
    log,
  };
}
