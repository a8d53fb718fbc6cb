import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { RememberedParts } from '../reading/remembered-parts.js';
import { causeTotals, versionTotals, type CauseCount, type VersionCount } from './fleet-counts.js';
import { FleetCountsRepository } from './fleet-counts.repository.js';

/**
 * How many sites of a scope run which version, and how they stand to each advisory, right as of the transaction. Counted once and
 * remembered: after a push only the part of the fleet that the site is in is counted anew.
 */
@Injectable()
export class FleetCountsService {
  private readonly rememberedVersions = new RememberedParts<readonly VersionCount[]>();
  private readonly rememberedCauses = new RememberedParts<readonly CauseCount[]>();

  constructor(private readonly counts: FleetCountsRepository) {}

  /** By id of the version. */
  async versions(tx: EntityManager, scope: Scope): Promise<Map<number, VersionCount>> {
    const parts = await this.counts.parts(tx, scope);
    return versionTotals(
      await this.rememberedVersions.get(
        JSON.stringify(scope),
        parts.map(({ installed }) => installed),
        (changed) => this.counts.versions(tx, scope, changed),
      ),
    );
  }

  /** By id of the cause; 0 is Drupal.org's own mark. */
  async causes(tx: EntityManager, scope: Scope): Promise<Map<number, CauseCount>> {
    const parts = await this.counts.parts(tx, scope);
    return causeTotals(
      await this.rememberedCauses.get(
        JSON.stringify(scope),
        parts.map(({ exposed }) => exposed),
        (changed) => this.counts.causes(tx, scope, changed),
      ),
    );
  }
}
