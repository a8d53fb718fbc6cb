// Measures what the transport costs: publishing beside bare pipelined XADDs of the same bytes, and consume + commit + acknowledge beside a
// hand-written loop with the same SQL. Both take turns on the same servers (Redis with `appendfsync always`), so that a noisy machine
// strikes both; the figure is the median of the rounds' ratios. Then: does a backlog of 100,000 drain as fast as the steady stream, and how long
// does a question to another service take, beside a bare XADD/XREAD ping-pong? `node dist/tools/bench/streams.bench.js questions` measures one part.
// Exits with 1 when a figure is missed.
import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { testDatabase, testRedis } from '#libs/testing';
import { connectRedis, GROUP, QueueConsumer, RedisBroker, RedisPublisher, streamKey } from '#libs/streams';
import type { Envelope, RedisConnection } from '#libs/streams';
import { measureQuestions } from './streams/questions.js';

const TARGET = 0.8;
const ROUNDS = Number(process.env['PATCHWATCH_BENCH_ROUNDS'] ?? 9);
const MESSAGES = Number(process.env['PATCHWATCH_BENCH_MESSAGES'] ?? 6_400);
const IN_FLIGHT = 64;
const BACKLOG = Number(process.env['PATCHWATCH_BENCH_BACKLOG'] ?? 100_000);
const QUESTIONS = Number(process.env['PATCHWATCH_BENCH_QUESTIONS'] ?? 20_000);
const QUESTIONS_PER_SECOND = 10_000;
const QUESTION_MS = 1;
const ONLY = process.argv.slice(2);
/** A gzip body of 120 modules. */
const PUSH_BODY = randomBytes(2_000);

const redis = await testRedis();
const database = await testDatabase({ schema: 'bench', entities: [], migrations: [] });
const connection = connectRedis(redis.url, { name: 'bench', role: 'streams' });
await connection.ready();
const publisher = new RedisPublisher({ connection });
await publisher.ready();

function push(body: Buffer, n: number, meta: unknown): Envelope {
  return {
    id: randomUUID(),
    type: 'bench.thing-happened',
    version: 1,
    organizationId: 1,
    key: `site-${n % 500}`,
    occurredAt: '2026-01-01T00:00:00.000Z',
    correlationId: '0193c2d4-1111-7222-8333-444455556666',
    causationId: null,
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    contentHash: null,
    contentEncoding: 'identity',
    meta,
    body,
  };
}

interface Figure {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

async function timed(work: () => Promise<void>, messages = MESSAGES): Promise<Figure> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  const used = process.cpuUsage(cpu);
  return { perSecond: messages / seconds, cpuMicros: (used.user + used.system) / messages };
}

/** Each of `IN_FLIGHT` callers sends its next message when it has its answer, as requests do. */
async function inFlight(one: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < MESSAGES) await one(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
}

async function barePipelines(link: RedisConnection): Promise<void> {
  for (let sent = 0; sent < MESSAGES; sent += IN_FLIGHT) {
    const pipeline = link.client.pipeline();
    for (let i = 0; i < IN_FLIGHT; i++) pipeline.xadd('bare', '*', 'body', PUSH_BODY);
    await pipeline.exec();
  }
}

async function publishing(): Promise<number> {
  const ratios: number[] = [];
  const costs: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const bare = await timed(() => barePipelines(connection));
    const ours = await timed(() => inFlight((n) => publisher.publish('bench.publish', [push(PUSH_BODY, n, { n })])));
    await connection.client.del('bare', streamKey('bench.publish', 0));
    if (round < 0) continue;
    ratios.push(ours.perSecond / bare.perSecond);
    costs.push(bare.cpuMicros / ours.cpuMicros);
    report('publish', round, ours, bare);
  }
  console.log(`publish: ${percent(median(ratios))} of bare pipelined XADD in time, ${percent(median(costs))} in CPU`);
  return median(ratios);
}

const INSERT = `INSERT INTO bench.things (id, n) SELECT * FROM unnest($1::uuid[], $2::int[]) ON CONFLICT DO NOTHING`;

async function fill(queue: string, messages = MESSAGES): Promise<void> {
  const body = (n: number): Buffer => Buffer.from(JSON.stringify({ n, text: 'x'.repeat(200) }));
  for (let n = 0; n < messages; n += 400) {
    const messages = Array.from({ length: 400 }, (_, i) => push(body(n + i), n + i, null));
    await publisher.publish(queue, messages);
  }
}

/** Reads, parses, writes, commits, acknowledges and deletes; nothing else. */
async function handWritten(client: pg.Client, reader: RedisConnection): Promise<void> {
  const key = streamKey('bench.hand', 0);
  for (let done = 0; done < MESSAGES;) {
    const reply = (await reader.client.xreadgroupBuffer(
      'GROUP',
      GROUP,
      'hand',
      'COUNT',
      64,
      'BLOCK',
      1_000,
      'STREAMS',
      key,
      '>',
    )) as [Buffer, [Buffer, Buffer[]][]][] | null;
    const entries = reply?.[0]?.[1] ?? [];
    const things = entries.map(([, fields]) => ({
      facts: JSON.parse(fields[1]!.toString()) as { id: string },
      data: JSON.parse(fields[3]!.toString()) as { n: number },
    }));
    await client.query('BEGIN');
    await client.query(INSERT, [things.map(({ facts }) => facts.id), things.map(({ data }) => data.n)]);
    await client.query('COMMIT');
    const ids = entries.map(([id]) => id);
    await connection.client
      .pipeline()
      .xack(key, GROUP, ...ids)
      .xdel(key, ...ids)
      .exec();
    done += entries.length;
  }
}

async function consumed(client: pg.Client, broker: RedisBroker, messages = MESSAGES): Promise<void> {
  let done = 0;
  let finished = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const consumer = new QueueConsumer<pg.Client>({
    broker,
    queue: 'bench.consumer',
    handlers: [
      {
        handles: [{ type: 'bench.thing-happened', version: 1 }],
        handle: async (tx, batch) => {
          const ns = batch.map(({ data }) => (data as { n: number }).n);
          await tx.query(INSERT, [batch.map(({ envelope }) => envelope.id), ns]);
        },
      },
    ],
    schemaFor: () => ({ check: (data) => (typeof (data as { n: unknown }).n === 'number' ? null : 'n is no number') }),
    unitOfWork: {
      run: async (work) => {
        await client.query('BEGIN');
        const result = await work(client);
        await client.query('COMMIT');
        return result;
      },
    },
    deadLetters: { record: () => Promise.reject(new Error('nothing dies here')) },
    classify: () => 'other',
    observer: {
      processed: (_queue, _partition, count) => {
        done += count;
        if (done >= messages) finished();
      },
    },
  });
  await consumer.start();
  await all;
  // The stop belongs to the time: it waits for the last acknowledgement.
  await consumer.stop();
}

async function tables(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query('CREATE SCHEMA IF NOT EXISTS bench');
  await client.query('CREATE TABLE IF NOT EXISTS bench.things (id uuid PRIMARY KEY, n integer NOT NULL)');
  return client;
}

async function consuming(): Promise<number> {
  const client = await tables();
  const reader = connection.sibling({ name: 'bench:hand', role: 'blocking' });
  await reader.ready();
  const broker = new RedisBroker({ connection, publisher });
  const ratios: number[] = [];
  const costs: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    await fill('bench.hand');
    await fill('bench.consumer');
    const hand = await timed(() => handWritten(client, reader));
    const ours = await timed(() => consumed(client, broker));
    await client.query('TRUNCATE bench.things');
    if (round < 0) continue;
    ratios.push(ours.perSecond / hand.perSecond);
    costs.push(hand.cpuMicros / ours.cpuMicros);
    report('consume', round, ours, hand);
  }
  await reader.close();
  await client.end();
  console.log(`consume: ${percent(median(ratios))} of the hand-written loop in time, ${percent(median(costs))} in CPU`);
  return median(ratios);
}

/** A queue that grew long while its consumer was away must not slow it down: the same number of messages in small portions, and all at once. */
async function draining(): Promise<number> {
  const client = await tables();
  const broker = new RedisBroker({ connection, publisher });
  // The table grows alike both ways.
  const inPortions = async (portion: number): Promise<number> => {
    let seconds = 0;
    for (let done = 0; done < BACKLOG; done += portion) {
      await fill('bench.consumer', portion);
      seconds += portion / (await timed(() => consumed(client, broker, portion), portion)).perSecond;
    }
    await client.query('TRUNCATE bench.things');
    return (Math.ceil(BACKLOG / portion) * portion) / seconds;
  };
  const before = await inPortions(MESSAGES);
  const drained = await inPortions(Math.ceil(BACKLOG / 400) * 400);
  const steady = (before + (await inPortions(MESSAGES))) / 2;
  await client.end();
  const share = drained / steady;
  console.log(
    `backlog: ${BACKLOG} messages drain at ${Math.round(drained)}/s, ${percent(share)} of ${Math.round(steady)}/s when none has piled up`,
  );
  return share;
}

/** On a Redis that keeps nothing, as the cache's does. */
async function asking(): Promise<boolean> {
  const cache = await testRedis({ args: ['--appendonly', 'no'] });
  const ours: { perSecond: number; aloneMs: number }[] = [];
  const shares: number[] = [];
  try {
    await measureQuestions(cache.url, Math.min(ROUNDS, 5), QUESTIONS, IN_FLIGHT, (round, us, bare) => {
      ours.push(us);
      shares.push(us.perSecond / bare.perSecond);
      const figure = ({ perSecond, aloneMs, busyMs }: typeof us): string =>
        `${Math.round(perSecond)}/s, alone ${aloneMs.toFixed(2)} ms, busy ${busyMs.toFixed(2)} ms`;
      console.log(`  questions ${round + 1}: ours ${figure(us)}; bare ping-pong ${figure(bare)}`);
    });
  } finally {
    await cache.stop();
  }
  const perSecond = median(ours.map((one) => one.perSecond));
  const aloneMs = median(ours.map((one) => one.aloneMs));
  console.log(
    `questions: ${Math.round(perSecond)}/s with ${IN_FLIGHT} under way (${percent(median(shares))} of a bare ping-pong), alone ${aloneMs.toFixed(2)} ms in the median`,
  );
  return perSecond >= QUESTIONS_PER_SECOND && aloneMs < QUESTION_MS;
}

function report(what: string, round: number, ours: Figure, baseline: Figure): void {
  const figure = ({ perSecond, cpuMicros }: Figure): string => `${Math.round(perSecond)}/s ${cpuMicros.toFixed(1)} µs`;
  console.log(`  ${what} ${round + 1}: ours ${figure(ours)}, baseline ${figure(baseline)}`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

const parts: Record<string, () => Promise<boolean>> = {
  publish: async () => (await publishing()) >= TARGET,
  consume: async () => (await consuming()) >= TARGET,
  // Noise of the machine both ways; what is looked for is a queue that slows down with its length.
  backlog: async () => (await draining()) >= 0.95,
  questions: asking,
};

try {
  let reached = true;
  for (const [name, part] of Object.entries(parts)) {
    if (ONLY.length === 0 || ONLY.includes(name)) reached = (await part()) && reached;
  }
  process.exitCode = reached ? 0 : 1;
} finally {
  await publisher.close();
  await connection.close();
  await database.drop();
  await redis.stop();
}
