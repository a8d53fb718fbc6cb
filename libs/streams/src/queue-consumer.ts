import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ConsumerHealth, QueueConsumerOptions } from './consumer-options.js';
import { consumerSettings, realTime } from './consumer-settings.js';
import type { ConsumerSettings } from './consumer-settings.js';
import { MessageReader } from './message-reader.js';
import { silentLog } from './observer.js';
import { PartitionLoop } from './partition-loop.js';
import { Solo } from './solo.js';

/**
 * Consumes one queue: delivers every message at least once to its handler, in a transaction whose commit comes before
 * the acknowledgement, so that with handlers that repeat harmlessly each message has its effect exactly once.
 *
 * The parts, a file each: `StreamLane` (one partition on the broker), `PartitionLoop` (reads, reaps, sweeps),
 * `MessageReader` (entry → checked message), `BatchRunner` (transactions, halving, dead letters), `HeldEntries` (leases,
 * acknowledgements), `Breaker`. `docs/life-of-a-message.md` draws the way of one message with the error branch of each step.
 */
export class QueueConsumer<Tx> {
  private readonly settings: ConsumerSettings;
  private readonly reader: MessageReader<Tx>;
  private loops: PartitionLoop<Tx>[] = [];

  /** @throws Error for two handlers of one type, a handler without contract, or settings out of range. */
  constructor(private readonly options: QueueConsumerOptions<Tx>) {
    this.settings = consumerSettings(options.settings);
    this.reader = new MessageReader(options);
  }

  /** Starts one loop a partition and returns at once; Redis or the database may still be away. */
  async start(): Promise<void> {
    if (this.loops.length > 0) throw new Error(`The consumer of ${this.options.queue} runs already.`);
    const {
      broker,
      queue,
      partitions = 1,
      time = realTime,
      observer = {},
      log = silentLog,
      solo = new Solo(),
    } = this.options;
    // Never used before nor after: what is pending for this name is ours, and nobody else's reply can be mistaken for ours.
    const name = `${this.options.name ?? `${hostname()}.${process.pid}`}.${randomUUID().slice(0, 8)}`;
    this.loops = Array.from({ length: partitions }, (_, partition) => {
      const lane = broker.open(queue, partition, name);
      const { reader, settings } = this;
      return new PartitionLoop({ lane, reader, solo, consumer: this.options, settings, time, observer, log });
    });
    for (const loop of this.loops) loop.start();
  }

  /**
   * Stops reading, lets the transaction under way end, hands back the rest and removes its name. Resolves within
   * `withinMs` (default 10,000) and a moment; never rejects.
   */
  async stop(withinMs = 10_000): Promise<void> {
    const loops = this.loops;
    this.loops = [];
    await Promise.all(loops.map((loop) => loop.stop(withinMs)));
  }

  /** Red when a breaker is open, Redis was silent for some seconds, or nothing could be committed for half a minute. */
  health(): ConsumerHealth {
    if (this.loops.length === 0) return { ok: false, detail: `${this.options.queue}: not started` };
    const states = this.loops.map((loop) => loop.health());
    return states.find((state) => !state.ok) ?? { ok: true, detail: this.options.queue };
  }
}
