import { Inject, Injectable } from '@nestjs/common';
import { QUEUES, type QueueDefinition } from '#libs/contracts';
import { readDepth, streamKey, type RedisConnection } from '#libs/streams';

/** `RedisConnection` of messaging, and over how many streams partitioned queues are spread. */
export const QUEUE_STREAMS = Symbol('QUEUE_STREAMS');

export interface QueueStreams {
  readonly connection: RedisConnection;
  readonly partitions: number;
}

/** How far the services are behind with what they have been told. */
@Injectable()
export class QueueLag {
  constructor(@Inject(QUEUE_STREAMS) private readonly streams: QueueStreams) {}

  /**
   * Age in ms of the oldest message of the whole platform that is not settled yet, whatever it waits for; 0: there is none. What lies in outboxes is not
   * among them. @throws RedisUnavailableError
   */
  async oldestMs(): Promise<number> {
    const { connection, partitions } = this.streams;
    const ages = await Promise.all(
      Object.values<QueueDefinition>(QUEUES).flatMap(({ name, partitioned }) =>
        Array.from({ length: partitioned ? partitions : 1 }, async (_, partition) => {
          const { oldestAgeMs } = await readDepth(connection, streamKey(name, partition));
          return oldestAgeMs;
        }),
      ),
    );
    return Math.max(...ages);
  }
}
