import { Inject, Injectable } from '@nestjs/common';
import { QUEUES, reportingProgress } from '#libs/contracts';
import type { RpcOutput } from '#libs/contracts';
import { streamKey } from '#libs/streams';
import type { RedisConnection } from '#libs/streams';
import { Questions } from '../question/questions.service.js';
import { SETTINGS, STREAMS } from '../tokens.js';
import type { GatewaySettings } from '../settings.js';

export type Progress = RpcOutput<typeof reportingProgress> & {
  /** Messages in all queues, those in work included. */
  readonly queued: number;
};

/** How far the platform has come with what it was told. */
@Injectable()
export class SystemProgress {
  constructor(
    private readonly questions: Questions,
    @Inject(STREAMS) private readonly streams: RedisConnection,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  async now(): Promise<Progress> {
    const keys = Object.values(QUEUES).flatMap((queue) =>
      Array.from({ length: queue.partitioned ? this.settings.partitions : 1 }, (_, partition) =>
        streamKey(queue.name, partition),
      ),
    );
    // The queues first: what leaves them while reporting answers is then counted here or there, not nowhere.
    const lengths = await Promise.all(keys.map((key) => this.streams.runOn(key, (client) => client.xlen(key))));
    const reporting = await this.questions.ask(reportingProgress, {});
    return { ...reporting, queued: lengths.reduce((sum, length) => sum + length, 0) };
  }
}
