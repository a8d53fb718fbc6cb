import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import type { DataSource, EntityManager } from 'typeorm';
import { EVENTS } from '#libs/contracts';
import { asSystem, classifySqlError } from '#libs/database';
import type { FailPoints, Readiness, Registry } from '#libs/runtime';
import { assertDurableStreams, assertKnownServers, QueueConsumer, Solo } from '#libs/streams';
import type {
  AdmissionGate,
  Broker,
  ConsumerSettings,
  DeadLetterStore,
  QueueConsumerOptions,
  RedisConnection,
  RedisPublisher,
  StreamsLog,
  StreamsObserver,
  UnitOfWork,
} from '#libs/streams';
import { breakableConsumer } from './breakable.js';
import { tableMetrics } from './messaging-metrics.js';
import type { OutboxRelay } from './outbox-relay.js';
import { findQueueHandlers } from './queue-handler.js';
import { planQueues, type QueuePlan } from './queue-plan.js';
import { aroundBatch } from './work-scope.js';

/** One for the process, whichever services are in it: they die together. */
const SOLO = new Solo();

/** Everything that moves messages in one service; made by MessagingModule. */
export interface MessagingParts {
  readonly service: string;
  readonly partitions: number;
  /** Runs although the streams' Redis may lose what it has acknowledged. */
  readonly allowLossyStreams: boolean;
  /** What the operator set otherwise than the default. */
  readonly tuning: Partial<ConsumerSettings>;
  /** null, but in tests of disasters. */
  readonly failPoints: FailPoints | null;
  readonly dataSource: DataSource;
  readonly connection: RedisConnection;
  readonly publisher: RedisPublisher;
  readonly broker: Broker;
  readonly admission: AdmissionGate | undefined;
  readonly relay: OutboxRelay;
  readonly unitOfWork: UnitOfWork<EntityManager>;
  readonly deadLetters: DeadLetterStore<EntityManager>;
  readonly observer: StreamsObserver;
  readonly registry: Registry;
  readonly log: StreamsLog;
}

/**
 * Starts and stops what moves messages: nothing of it runs before `start`.
 *
 *   boot:  every event on this service's queues has exactly one handler, or the application does not come up
 *   start: Redis keeps what it acknowledges → admission → consumers → relay
 *   stop:  consumers finish and hand back → the relay sends what they wrote → Redis closes. The database is the service's to close, after this.
 */
export class MessagingRuntime implements OnModuleInit, OnApplicationShutdown {
  private plans: readonly QueuePlan[] | undefined;
  private consumers: QueueConsumer<EntityManager>[] = [];
  private relaying = false;
  private running = false;
  private starting: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly parts: MessagingParts,
    private readonly discovery: DiscoveryService,
  ) {}

  /** @throws HandlerWiringError */
  async onModuleInit(): Promise<void> {
    try {
      this.plans = planQueues(this.parts.service, findQueueHandlers(this.discovery));
    } catch (error) {
      // The application will not come up, so nobody will stop us.
      await this.stop();
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /** @throws RedisUnavailableError, LossyStreamsError, or the database's error; then nothing runs. */
  start(): Promise<void> {
    if (this.stopped !== undefined) return Promise.reject(new Error('Messaging was stopped; it cannot start again.'));
    this.starting ??= this.startOnce();
    return this.starting;
  }

  /** May be called at any time and more than once. */
  stop(): Promise<void> {
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  /** What messaging needs, and whether it is there. Never rejects. */
  async ready(): Promise<Readiness> {
    const { connection, dataSource, publisher, relay } = this.parts;
    const consumers = this.consumers.map((consumer, i) => [this.plans![i]!.queue.name, consumer.health()] as const);
    const [database, streams, publishing] = await Promise.all([
      answers('database', () => dataSource.query('SELECT 1')),
      answers('streams', () => Promise.all(connection.nodes().map((node) => node.run((client) => client.ping())))),
      publisher.health(),
    ]);
    const checks: Record<string, { ok: boolean; detail?: string }> = {
      database,
      streams,
      publishing,
      messaging: this.running && this.stopped === undefined ? { ok: true } : { ok: false, detail: 'not running' },
      ...(this.relaying ? { outbox: relay.health() } : {}),
      ...Object.fromEntries(consumers),
    };
    return { ok: Object.values(checks).every(({ ok }) => ok), checks };
  }

  private async startOnce(): Promise<void> {
    const { parts, plans } = this;
    if (plans === undefined) throw new Error('Initialise the Nest application before messaging starts.');
    await Promise.all([parts.connection.ready(), parts.publisher.ready()]);
    const servers = await assertKnownServers(parts.connection);
    const faults = await assertDurableStreams(parts.connection, { allowLossy: parts.allowLossyStreams });
    if (faults.length > 0)
      parts.log.warn({ faults }, 'The Redis for streams may lose accepted messages; allowed by the settings');
    parts.log.info({ servers }, 'The Redis for streams');
    const hasOutbox = await this.hasTable('outbox');
    tableMetrics(parts.registry, parts.dataSource, [
      ...(hasOutbox ? (['outbox'] as const) : []),
      ...((await this.hasTable('dead_letters')) ? (['dead_letters'] as const) : []),
    ]);
    await parts.admission?.start();
    this.consumers = plans.map((plan) => this.consumerOf(plan));
    await Promise.all(this.consumers.map((consumer) => consumer.start()));
    if (hasOutbox) parts.relay.start();
    this.relaying = hasOutbox;
    this.running = true;
  }

  private consumerOf({ queue, handlers, schemaFor }: QueuePlan): QueueConsumer<EntityManager> {
    const { broker, unitOfWork, deadLetters, observer, log, partitions, service, tuning, failPoints } = this.parts;
    const options: QueueConsumerOptions<EntityManager> = {
      broker,
      queue: queue.name,
      partitions: queue.partitioned ? partitions : 1,
      handlers,
      schemaFor,
      // Messages come from the platform itself, and are of any tenant; dead ones are, too.
      unitOfWork: { run: (work) => asSystem(() => unitOfWork.run(work)) },
      deadLetters,
      classify: classifySqlError,
      around: aroundBatch(service),
      observer,
      log,
      settings: tuning,
      solo: SOLO,
      name: service,
    };
    return new QueueConsumer(failPoints === null ? options : breakableConsumer(options, failPoints));
  }

  /** The outbox of a service that sends no events may be missing; of one that does, it must not. */
  private async hasTable(table: 'outbox' | 'dead_letters'): Promise<boolean> {
    const rows: { there: boolean }[] = await this.parts.dataSource.query(
      'SELECT to_regclass($1) IS NOT NULL AS there',
      [table],
    );
    const there = rows[0]!.there;
    const needed =
      table === 'outbox'
        ? EVENTS.some((event) => event.type.startsWith(`${this.parts.service}.`) && event.factsIn !== 'meta')
        : this.plans!.length > 0;
    if (needed && !there)
      throw new Error(`The schema of ${this.parts.service} has no table ${table}: have its migrations run?`);
    return there;
  }

  private async stopOnce(): Promise<void> {
    const { relay, admission, publisher, connection, log } = this.parts;
    // A start that is under way must end first, however it ends.
    await this.starting?.catch(() => undefined);
    const steps: [string, () => Promise<unknown>][] = [
      ['consumers', () => Promise.all(this.consumers.map((consumer) => consumer.stop()))],
      ['outbox relay', () => relay.stop()],
      ['admission', async () => admission?.stop()],
      ['publisher', () => publisher.close()],
      ['connection', () => connection.close()],
    ];
    for (const [what, stop] of steps) {
      // One that cannot stop in good order must not keep the others running.
      await stop().catch((error: unknown) => log.error({ what, error: String(error) }, 'Stopping went wrong'));
    }
  }
}

const PATIENCE_MS = 2_000;

async function answers(what: string, ask: () => Promise<unknown>): Promise<{ ok: boolean; detail?: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    await Promise.race([ask(), late]);
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: `${what}: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    clearTimeout(timer);
  }
}
