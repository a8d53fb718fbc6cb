import type { DataSource } from 'typeorm';
import { asSystem } from '#libs/database';
import { counter, gauge, Gauge, histogram, type Registry } from '#libs/runtime';
import type { RpcServerObserver, StreamsObserver } from '#libs/streams';
import type { RelayObserver } from './outbox-relay.js';

/** The figures of the transport and the outbox in `registry`. Labels are queues, partitions and stable codes: bounded. */
export function messagingMetrics(registry: Registry): { streams: StreamsObserver; relay: RelayObserver } {
  const lane = ['queue', 'partition'] as const;
  const lanes = (name: string, help: string) =>
    gauge(registry, { name: `patchwatch_queue_${name}`, help, labelNames: lane });
  const counts = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    counter(registry, { name: `patchwatch_${name}_total`, help, labelNames });

  const length = lanes('length', 'Entries in the stream, settled ones excepted: the backlog');
  const pending = lanes('pending', 'Entries delivered and not yet settled');
  const waiting = lanes('waiting', 'Entries that failed and wait for their next try');
  const age = lanes('oldest_age_seconds', 'Age of the oldest entry');
  const breaker = lanes('breaker_open', '1 while the consumer has stopped because everything would die');
  const published = counts('published', 'Entries appended with a durable answer', ['queue']);
  const groups = counts(
    'groups_created',
    'Consumer groups made; cause: first, group_lost (what is in the stream comes again), stream_lost (what was in it is gone)',
    ['queue', 'by', 'cause'],
  );
  const processed = counts('processed', 'Messages of committed batches', lane);
  const dead = counts('dead', 'Messages recorded as dead', ['queue', 'code']);
  const failed = counts('failed', 'Messages that failed and will be tried again', ['queue', 'kind']);
  const claimed = counts('claimed', 'Messages taken over from a silent consumer or due for another try', lane);
  const replaced = counts('redis_clients_replaced', 'Redis clients given up for a new one', ['client']);
  const admission = gauge(registry, {
    name: 'patchwatch_admission_level',
    help: '0 open, 1 soft (sheds what can wait), 2 hard (accepts nothing)',
    labelNames: ['queue'],
  });
  const seconds = histogram(registry, {
    name: 'patchwatch_batch_seconds',
    help: 'From the read of a batch to its commit',
    labelNames: ['queue'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  });
  const relayed = counts('outbox_relayed', 'Outbox rows published', ['queue']);
  const refused = counts('outbox_refused', 'Outbox rows that a queue refused for now', ['queue']);

  return {
    streams: {
      published: (queue, count) => published.inc({ queue }, count),
      groupCreated: (queue, _partition, by, cause) => groups.inc({ queue, by, cause }),
      processed: (queue, partition, count, took) => {
        processed.inc({ queue, partition }, count);
        seconds.observe({ queue }, took);
      },
      dead: (queue, code, count) => dead.inc({ queue, code }, count),
      failed: (queue, kind, count) => failed.inc({ queue, kind }, count),
      claimed: (queue, partition, count) => claimed.inc({ queue, partition }, count),
      depth: (queue, partition, depth) => {
        length.set({ queue, partition }, depth.length);
        pending.set({ queue, partition }, depth.pending);
        waiting.set({ queue, partition }, depth.waiting);
        age.set({ queue, partition }, depth.oldestAgeMs / 1_000);
      },
      breaker: (queue, partition, open) => breaker.set({ queue, partition }, open ? 1 : 0),
      clientReplaced: (name) => replaced.inc({ client: name }),
      admission: (queue, level) => admission.set({ queue }, ['open', 'soft', 'hard'].indexOf(level)),
    },
    relay: {
      relayed: (queue, count) => relayed.inc({ queue }, count),
      refused: (queue, count) => refused.inc({ queue }, count),
    },
  };
}

/** The figures of answering questions, in `registry`. */
export function questionMetrics(registry: Registry): RpcServerObserver {
  const seconds = histogram(registry, {
    name: 'patchwatch_question_seconds',
    help: 'From taking a question of another service to its answer; outcome is ok or the error code',
    labelNames: ['method', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  });
  const dropped = counter(registry, {
    name: 'patchwatch_questions_dropped_total',
    help: 'Questions not answered because nobody waited for them any more: expired or cancelled',
    labelNames: ['method', 'why'],
  });
  return {
    answered: (method, outcome, took) => seconds.observe({ method, outcome }, took),
    dropped: (method, why) => dropped.inc({ method, why }),
  };
}

const OUTBOX_ROWS = 'patchwatch_outbox_rows';

/** Rows that wait in the outbox and open dead letters, counted when the figures are read. The tables that are not there count nothing. */
export function tableMetrics(
  registry: Registry,
  dataSource: DataSource,
  tables: readonly ('outbox' | 'dead_letters')[],
): void {
  const queries = {
    outbox: {
      name: OUTBOX_ROWS,
      help: 'Events written and not yet published',
      sql: 'SELECT queue, count(*) AS rows FROM outbox GROUP BY queue',
    },
    dead_letters: {
      name: 'patchwatch_dead_letters_open',
      help: 'Messages that could not be handled and nobody has replayed or discarded',
      sql: 'SELECT queue, count(*) AS rows FROM dead_letters WHERE resolution IS NULL GROUP BY queue',
    },
  };
  for (const table of tables) {
    const { name, help, sql } = queries[table];
    // A service that starts again in the same process brings a new data source.
    registry.removeSingleMetric(name);
    const figure: Gauge<'queue'> = new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers: [registry],
      collect: async () => {
        // No figure is better than an old one: a database that is away shows elsewhere.
        figure.reset();
        const rows: { queue: string; rows: number }[] = await asSystem(() => dataSource.query(sql)).catch(() => []);
        for (const row of rows) figure.set({ queue: row.queue }, row.rows);
      },
    });
  }
}
