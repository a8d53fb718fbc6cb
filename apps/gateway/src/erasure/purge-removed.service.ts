import { Inject, Injectable } from '@nestjs/common';
import { Cron, Timeout } from '@nestjs/schedule';
import type { Logger } from '#libs/runtime';
import { LOGGER, SETTINGS } from '../tokens.js';
import type { GatewaySettings } from '../settings.js';
import { BeginErasure } from './begin-erasure.service.js';
import { ErasureChanges } from './erasure-changes.service.js';
import { ErasureRepository } from './erasure.repository.js';

const DAY_MS = 86_400_000;
/** Organizations or sites of one transaction. */
const MOST = 100;

/** Erases organizations and sites that were removed longer ago than they are kept. Every replica looks; rows are locked. */
@Injectable()
export class PurgeRemoved {
  constructor(
    private readonly erasures: ErasureRepository,
    private readonly begin: BeginErasure,
    private readonly changes: ErasureChanges,
    @Inject(SETTINGS) private readonly settings: GatewaySettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Every hour, and soon after the start. */
  @Timeout('first purge', 1_000)
  @Cron('17 * * * *', { name: 'purge' })
  async purge(): Promise<void> {
    const { purgeAfterDays } = this.settings;
    if (purgeAfterDays === 0) return;
    const before = new Date(this.changes.now().getTime() - purgeAfterDays * DAY_MS);
    try {
      while ((await this.purgeSome(before)) > 0);
    } catch (error) {
      this.logger.warn({ err: error }, 'what was removed long ago could not be erased; the next look tries again');
    }
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
}
