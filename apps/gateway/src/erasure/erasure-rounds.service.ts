import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { ERASING_SERVICES } from '#libs/contracts';
import { QueueLag } from '#libs/outbox';
import type { Logger } from '#libs/runtime';
import { LOGGER, SETTINGS } from '../tokens.js';
import type { GatewaySettings } from '../settings.js';
import { ErasureChanges } from './erasure-changes.service.js';
import { ErasureRepository } from './erasure.repository.js';

/** A queue that is not behind has messages of this age, too. */
const LEAST_LAG_MS = 1_000;

/** Asks for the rounds of erasures when their time has come. Every replica looks; rows are locked. */
@Injectable()
export class ErasureRounds {
  constructor(
    private readonly erasures: ErasureRepository,
    private readonly changes: ErasureChanges,
    private readonly lag: QueueLag,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * A round that not all have answered is asked for again. The next one waits while any message is older than the pause between them: what it says of the
   * erased would be written after a round that found nothing.
   */
  @Interval('erasure rounds', 2_000)
  async askDue(): Promise<void> {
    try {
      if (await this.erasures.anyDue(this.changes.now())) await this.ask(await this.areQueuesBehind());
    } catch (error) {
      this.logger.warn({ err: error }, 'erasures could not be seen to; the next look tries again');
    }
  }

  private async areQueuesBehind(): Promise<boolean> {
    return (await this.lag.oldestMs()) > Math.max(LEAST_LAG_MS, this.settings.erasurePauseSeconds * 1_000);
  }

  private ask(areQueuesBehind: boolean): Promise<void> {
    return this.changes.unitOfWork.run(async (tx) => {
      for (const erasure of await this.erasures.due(tx, this.changes.now())) {
        const { round, parts } = erasure;
        const answered = ERASING_SERVICES.every((service) => parts[service]?.round === round);
        if (answered && areQueuesBehind) continue;
        await this.changes.ask(tx, erasure, answered ? round + 1 : round);
      }
    });
  }
}
