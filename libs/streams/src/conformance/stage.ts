import { inspect } from 'node:util';
import type { ConsumerSettings } from '../consumer-settings.js';
import type { Delivered, Envelope } from '../envelope.js';
import type { StreamsLog, StreamsObserver } from '../observer.js';
import type { BatchContext, BatchHandler } from '../ports.js';
import { QueueConsumer } from '../queue-consumer.js';
import { FaultyBroker, never } from './faulty-broker.js';
import { Ledger } from './ledger.js';
import type { LedgerTx } from './ledger.js';
import { FAST } from './world.js';
import type { World } from './world.js';

export const QUEUE = 'test.things';

/** Body of a test message. */
export interface Thing {
  readonly n: number;
}

let made = 0;

export function thing(n: number, change: Partial<Envelope> = {}): Envelope {
  return {
    id: `message-${n}`,
    type: 'test.thing-happened',
    version: 1,
    organizationId: 7,
    key: `key-${n}`,
    occurredAt: '2026-01-01T00:00:00.000Z',
    correlationId: `correlation-${n}`,
    causationId: null,
    traceparent: null,
    contentHash: null,
    contentEncoding: 'identity',
    meta: null,
    body: Buffer.from(JSON.stringify({ n } satisfies Thing)),
    ...change,
  };
}

export function things(from: number, to: number): Envelope[] {
  return Array.from({ length: to - from + 1 }, (_, i) => thing(from + i));
}

/** How a process of the test behaves: throws, fails messages, or nothing. Called for each message before its effect. */
export type Behaviour = (message: Delivered<Thing>, batch: BatchContext, share: readonly Delivered<Thing>[]) => void;

export interface Process {
  readonly broker: FaultyBroker;
  readonly consumer: QueueConsumer<LedgerTx>;
  /** Every handing-over of a message to the handler: id and delivery. */
  readonly deliveries: { readonly id: string; readonly delivery: number; readonly together: number }[];
  behaviour: Behaviour;
  readonly logged: string[];
  readonly correlations: string[];
}

/** Processes, ledger and backend of one scenario. */
export class Stage {
  readonly ledger = new Ledger();
  private readonly processes: Process[] = [];

  constructor(readonly world: World) {}

  async process(
    options: {
      readonly queue?: string;
      readonly partitions?: number;
      readonly types?: readonly { type: string; version: number }[];
      readonly settings?: Partial<ConsumerSettings>;
      readonly observer?: StreamsObserver;
      readonly behaviour?: Behaviour;
      readonly start?: boolean;
    } = {},
  ): Promise<Process> {
    const broker = new FaultyBroker(this.world.broker);
    const logged: string[] = [];
    const log: StreamsLog = {
      info: () => undefined,
      warn: (fields, message) => logged.push(`${message} ${inspect(fields)}`),
      error: (fields, message) => logged.push(`${message} ${inspect(fields)}`),
    };
    const correlations: string[] = [];
    const types = options.types ?? [{ type: 'test.thing-happened', version: 1 }];
    const known = new Set(types.map(({ type, version }) => `${type}@${version}`));
    const handler: BatchHandler<LedgerTx> = {
      handles: types,
      handle: async (tx, messages, batch) => {
        const share = messages as readonly Delivered<Thing>[];
        for (const message of share) {
          const { id } = message.envelope;
          process.deliveries.push({ id, delivery: message.delivery, together: share.length });
          if (broker.dead) await never();
          process.behaviour(message, batch, share);
          if (broker.dead) await never();
          if (!failed.has(message)) this.ledger.apply(tx, id);
        }
      },
    };
    const failed = new WeakSet<object>();
    const process: Process = {
      broker,
      deliveries: [],
      behaviour: options.behaviour ?? (() => undefined),
      logged,
      correlations,
      consumer: new QueueConsumer<LedgerTx>({
        broker,
        queue: options.queue ?? QUEUE,
        partitions: options.partitions ?? 1,
        handlers: [
          {
            handles: handler.handles,
            wasApplied: async (_tx, message) => this.ledger.effects.has(message.envelope.id),
            handle: (tx, messages, batch) =>
              handler.handle(tx, messages, {
                afterCommit: (work) => batch.afterCommit(work),
                fail: (message, code, detail) => {
                  failed.add(message);
                  batch.fail(message, code, detail);
                },
              }),
          },
        ],
        schemaFor: (type, version) =>
          known.has(`${type}@${version}`) ? { check: (data) => (isThing(data) ? null : 'n is no number') } : undefined,
        unitOfWork: this.ledger,
        deadLetters: this.ledger,
        classify: this.ledger.classify,
        around: (messages, work) => {
          if (messages.length === 1) correlations.push(messages[0]!.envelope.correlationId);
          return work();
        },
        observer: options.observer ?? {},
        log,
        settings: { ...FAST, ...options.settings },
        time: this.world.time,
        name: `process-${++made}`,
      }),
    };
    this.processes.push(process);
    if (options.start !== false) await process.consumer.start();
    return process;
  }

  publish(envelopes: readonly Envelope[], queue = QUEUE): Promise<void> {
    return this.world.broker.publish(queue, envelopes);
  }

  /** Lets the world's time pass until `probe` is true. @throws Error naming what was waited for and the last state. */
  async until(what: string, probe: () => boolean | Promise<boolean>, withinMs = 12_000): Promise<void> {
    for (let passed = 0; !(await probe()); passed += 10) {
      if (passed >= withinMs) {
        const state = {
          length: await this.world.length(QUEUE),
          pending: await this.world.pending(QUEUE),
          dead: this.ledger.dead.map(({ code, detail }) => `${code}: ${detail}`),
          effects: this.ledger.effects.size,
          logged: this.processes.flatMap((process) => process.logged).slice(-3),
        };
        throw new Error(`Waited ${withinMs} ms for ${what}; last seen: ${inspect(state, { depth: 4 })}`);
      }
      await this.world.pass(10);
    }
  }

  /** Until nothing is in the queue, and that by Redis's own count. */
  async untilEmpty(queue = QUEUE): Promise<void> {
    await this.until(`${queue} to be empty`, async () => (await this.world.length(queue)) === 0);
    await this.until('nothing pending', async () => (await this.world.pending(queue)).length === 0);
  }

  async end(): Promise<void> {
    const stopped = Promise.all(this.processes.map((process) => process.consumer.stop(200)));
    let done = false;
    void stopped.then(() => (done = true));
    for (let i = 0; !done && i < 200; i++) await this.world.pass(10);
    await stopped;
    await this.world.close();
  }
}

function isThing(data: unknown): data is Thing {
  return typeof data === 'object' && data !== null && typeof (data as Thing).n === 'number';
}
