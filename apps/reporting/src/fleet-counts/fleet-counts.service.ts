import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { RememberedParts } from '../reading/remembered-parts.js';
import {
  causeColumns,
  causeTotals,
  versionColumns,
  versionTotals,
  type CauseCount,
  type CountColumns,
  type VersionCount,
} from './fleet-counts.js';
import { FleetCountsRepository } from './fleet-counts.repository.js';

/** The counts of one scope, as of one transaction. */
export interface FleetCounts {
  /** By id of the version. */
  versions(): Promise<Map<number, VersionCount>>;
  /** By id of the cause; 0 is Drupal.org's own mark. */
  causes(): Promise<Map<number, CauseCount>>;
}

/**
 * How many sites of a scope run which version, and how they stand to each advisory, right as of the transaction. Counted once and
 * remembered: after a push only the part of the fleet that the site is in is counted anew.
 */
@Injectable()
export class FleetCountsService {
  private readonly rememberedVersions = new RememberedParts<CountColumns>();
  private readonly rememberedCauses = new RememberedParts<CountColumns>();

  constructor(private readonly counts: FleetCountsRepository) {}

  async ofScope(tx: EntityManager, scope: Scope): Promise<FleetCounts> {
    const key = JSON.stringify(scope);
    const parts = await this.counts.parts(tx, scope);
    return {
      versions: async () =>
        versionTotals(
          await this.rememberedVersions.get(
            key,
            parts.map(({ installed }) => installed),
            async (changed) => inColumns(await this.counts.versions(tx, scope, changed), versionColumns),
          ),
        ),
      causes: async () =>
        causeTotals(
          await this.rememberedCauses.get(
            key,
            parts.map(({ exposed }) => exposed),
            async (changed) => inColumns(await this.counts.causes(tx, scope, changed), causeColumns),
          ),
        ),
    };
  }
}

function inColumns<T>(
  byPart: ReadonlyMap<number, readonly T[]>,
  columnsOf: (counts: readonly T[]) => CountColumns,
): Map<number, CountColumns> {
  return new Map([...byPart].map(([part, counts]) => [part, columnsOf(counts)]));
}
