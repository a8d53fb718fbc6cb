import { QUEUES, type QueueDefinition, type ServiceName } from '#libs/contracts';
import { readDepth, streamKey, type RedisConnection } from '#libs/streams';
import type { Platform } from './platform.js';

/** What one queue holds at one moment: all its partitions together. */
export interface QueueSample {
  readonly queue: string;
  readonly service: ServiceName;
  /** Messages not settled. */
  readonly backlog: number;
  /** Age in seconds of the oldest of them; 0: there is none. */
  readonly oldest_age_seconds: number;
  /** Of the backlog: in somebody's hands. */
  readonly pending: number;
  /** Of the backlog: failed, waiting for the next try. */
  readonly waiting: number;
  /** Open dead letters; null: the database did not answer. */
  readonly dead: number | null;
  /** Rows that wait in publishers' outboxes; null: a database did not answer. */
  readonly outbox: number | null;
  /** Entries ever added, as Redis counts. */
  readonly added: number;
  readonly partitions: number;
}

export interface QueueFigures extends QueueSample {
  /** Messages a second since the sample before; null: there is none, or the stream was made anew. */
  readonly rate_in: number | null;
  readonly rate_out: number | null;
}

interface Counts {
  readonly dead: ReadonlyMap<string, number> | null;
  readonly outbox: ReadonlyMap<string, number> | null;
}

const all = Object.values(QUEUES) as readonly QueueDefinition[];

/** Services that may have letters (they read a queue), and those that may have an outbox: all. */
const READERS = [...new Set(all.map(({ subscriber }) => subscriber))];
const WRITERS: readonly ServiceName[] = ['gateway', 'ingest', 'catalog', 'reporting', 'notifier'];

/**
 * Every queue as it is now.
 * @param onTrouble told what could not be read; those figures are null then. Redis must answer.
 * @throws CommandError `no_streams`, `streams_unreachable`; RedisUnavailableError
 */
export async function sampleQueues(platform: Platform, onTrouble: (error: unknown) => void): Promise<QueueSample[]> {
  const redis = await platform.streams();
  const counts = await countTables(platform, onTrouble);
  return Promise.all(all.map((queue) => sampleQueue(redis, queue, platform.addresses.partitions, counts)));
}

async function sampleQueue(
  redis: RedisConnection,
  { name, subscriber, partitioned }: QueueDefinition,
  partitions: number,
  { dead, outbox }: Counts,
): Promise<QueueSample> {
  let [backlog, pending, waiting, oldestMs, added, partition] = [0, 0, 0, 0, 0, 0];
  // Also those beyond the number given: who has lowered it wants to see what was left behind.
  for (
    ;
    partition < (partitioned ? partitions : 1) || (partitioned && (await exists(redis, name, partition)));
    partition++
  ) {
    const key = streamKey(name, partition);
    const depth = await readDepth(redis, key);
    backlog += depth.length;
    pending += depth.pending;
    waiting += depth.waiting;
    oldestMs = Math.max(oldestMs, depth.oldestAgeMs);
    added += await entriesAdded(redis, key);
  }
  return {
    queue: name,
    service: subscriber,
    backlog,
    oldest_age_seconds: Math.round(oldestMs / 100) / 10,
    pending,
    waiting,
    dead: dead && (dead.get(name) ?? 0),
    outbox: outbox && (outbox.get(name) ?? 0),
    added,
    partitions: partition,
  };
}

async function exists(redis: RedisConnection, queue: string, partition: number): Promise<boolean> {
  const key = streamKey(queue, partition);
  return (await redis.runOn(key, (client) => client.exists(key))) === 1;
}

/** 0: there is no such stream. */
async function entriesAdded(redis: RedisConnection, key: string): Promise<number> {
  try {
    const info: unknown = await redis.runOn(key, (client) => client.xinfo('STREAM', key));
    const pairs: unknown[] = Array.isArray(info) ? info : Object.entries(info ?? {}).flat();
    return Number(pairs[pairs.indexOf('entries-added') + 1]);
  } catch (error) {
    if (error instanceof Error && /no such key/i.test(error.message)) return 0;
    throw error;
  }
}

async function countTables(platform: Platform, onTrouble: (error: unknown) => void): Promise<Counts> {
  const count = async (services: readonly ServiceName[], sql: string): Promise<Map<string, number> | null> => {
    const total = new Map<string, number>();
    try {
      for (const service of services) {
        const rows = await platform.use(service, (source) => source.query<{ queue: string; rows: number }[]>(sql));
        for (const { queue, rows: more } of rows) total.set(queue, (total.get(queue) ?? 0) + more);
      }
      return total;
    } catch (error) {
      onTrouble(error);
      return null;
    }
  };
  const dead = await count(
    READERS,
    'SELECT queue, count(*)::int AS rows FROM dead_letters WHERE resolution IS NULL GROUP BY queue',
  );
  return { dead, outbox: await count(WRITERS, 'SELECT queue, count(*)::int AS rows FROM outbox GROUP BY queue') };
}

/** Samples with the rates since the ones before. Entries are deleted when settled: what was added and is not there has gone out. */
export function withRates(
  now: readonly QueueSample[],
  before: readonly QueueSample[] | null,
  seconds: number,
): QueueFigures[] {
  const earlier = new Map(before?.map((sample) => [sample.queue, sample]));
  return now.map((sample) => {
    const was = earlier.get(sample.queue);
    if (!was || seconds <= 0 || sample.added < was.added) return { ...sample, rate_in: null, rate_out: null };
    const came = sample.added - was.added;
    const went = came - (sample.backlog - was.backlog);
    return { ...sample, rate_in: perSecond(came, seconds), rate_out: perSecond(Math.max(0, went), seconds) };
  });
}

const perSecond = (count: number, seconds: number): number => Math.round((count / seconds) * 10) / 10;
