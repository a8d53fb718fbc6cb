import type { Broker, StreamLane } from './broker.js';
import { realTime } from './consumer-settings.js';
import type { ConsumerTime } from './consumer-settings.js';
import { toFields } from './entry-codec.js';
import type { Envelope } from './envelope.js';
import { InMemoryLane } from './in-memory-lane.js';
import { InMemoryStream } from './in-memory-stream.js';
import { partitionOf } from './stream-key.js';

export interface InMemoryBrokerOptions {
  readonly partitionsOf?: (queue: string) => number;
  readonly time?: ConsumerTime;
}

/**
 * Queues in memory, for tests: the same guarantees as on Redis, proved by the same conformance suite, and time that a
 * test can hold still. Entries pass through the same codec.
 */
export class InMemoryBroker implements Broker {
  private readonly streams = new Map<string, InMemoryStream>();
  private readonly time: ConsumerTime;

  constructor(private readonly options: InMemoryBrokerOptions = {}) {
    this.time = options.time ?? realTime;
  }

  async publish(queue: string, envelopes: readonly Envelope[]): Promise<void> {
    const partitions = this.options.partitionsOf?.(queue) ?? 1;
    for (const envelope of envelopes) {
      const fields = toFields(envelope).map((field) => (typeof field === 'string' ? Buffer.from(field) : field));
      this.stream(queue, partitionOf(envelope.key, partitions)).add(fields);
    }
  }

  open(queue: string, partition: number, consumer: string): StreamLane {
    return new InMemoryLane(this.stream(queue, partition), { queue, partition, consumer, time: this.time });
  }

  /** The stream itself, for tests that look into it or break it. */
  stream(queue: string, partition = 0): InMemoryStream {
    const key = `${queue}.${partition}`;
    let stream = this.streams.get(key);
    if (stream === undefined) {
      stream = new InMemoryStream(this.time);
      this.streams.set(key, stream);
    }
    return stream;
  }
}
