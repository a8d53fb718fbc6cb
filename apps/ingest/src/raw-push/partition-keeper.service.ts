import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Logger } from '#libs/runtime';
import { RawPushRepository } from './raw-push.repository.js';

/** Two whole weeks of being down, and there is still a partition to write to; then the default one takes the rows. */
const DAYS_AHEAD = 14;
/** `Logger` of the service. */
export const LOGGER = Symbol('LOGGER');

const EVERY_MS = 6 * 60 * 60 * 1000;

/** Makes the next days' partitions in time. */
@Injectable()
export class PartitionKeeperService {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly rawPushes: RawPushRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Looks now and four times a day. */
  start(): void {
    void this.look();
    this.timer = setInterval(() => void this.look(), EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A failure only costs the audit log its order: rows go to the default partition until the next look. */
  private async look(): Promise<void> {
    try {
      const made = await this.rawPushes.ensurePartitions(this.dataSource.manager, DAYS_AHEAD);
      if (made > 0) this.logger.info({ made }, 'made partitions of raw_pushes');
    } catch (error) {
      this.logger.warn({ err: error }, 'cannot make partitions of raw_pushes');
    }
  }
}
