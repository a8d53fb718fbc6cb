import { Inject, Injectable } from '@nestjs/common';
import { Cron, Interval, Timeout } from '@nestjs/schedule';
import { ERASING_SERVICES } from '#libs/contracts';
import type { Logger } from '#libs/runtime';
import { LOGGER, SETTINGS } from '../tokens.js';
import type { GatewaySettings } from '../settings.js';
import { BeginErasure } from './begin-erasure.service.js';
import { ErasureChanges } from './erasure-changes.service.js';
import { ErasureRepository } from './erasure.repository.js';

const DAY_MS = 86_400_000;
/** Organizations or sites of one transaction. */
const MOST = 100;

/** What erasures need the clock for: their next rounds, and those whose time is over. Every replica looks; rows are locked. */
@Injectable()
export class ErasureRounds {
  constructor(
    private readonly erasures: ErasureRepository,
    private readonly begin: BeginErasure,
    private readonly changes: ErasureChanges,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Asks for the rounds that are due. A round that not all have answered is asked for again. */
  @Interval('erasure rounds', 2_000)
  async askDue(): Promise<void> {
    await this.quietly(() =>
      this.changes.unitOfWork.run(async (tx) => {
        for (const erasure of await this.erasures.due(tx, this.changes.now())) {
          const { round, parts } = erasure;
          const answered = ERASING_SERVICES.every((service) => parts[service]?.round === round);
          await this.changes.ask(tx, erasure, answered ? round + 1 : round);
        }
      }),
    );
  }

  /** Erases organizations and sites that were removed longer ago than they are kept: every hour, and soon after the start. */
  @Timeout('first purge', 1_000)
  @Cron('17 * * * *', { name: 'purge' })
  async purge(): Promise<void> {
    const { purgeAfterDays } = this.settings;
    if (purgeAfterDays === 0) return;
    const before = new Date(this.changes.now().getTime() - purgeAfterDays * DAY_MS);
    await this.quietly(async () => {
      while ((await this.purgeSome(before)) > 0);
    });
  }

  /** @returns how many organizations and sites */
  private purgeSome(before: Date): Promise<number> {
    return this.changes.unitOfWork.run(async (tx) => {
      const organizations = await this.erasures.removedOrganizations(tx, before, 5);
      for (const organization of organizations) await this.begin.ofOrganization(tx, organization, null);
      const sites = await this.erasures.removedSites(tx, before, MOST);
      if (sites.length > 0) await this.begin.ofSites(tx, sites);
      return organizations.length + sites.length;
    });
  }

  private async quietly(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn({ err: error }, 'erasures could not be seen to; the next look tries again');
    }
  }
}
