import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { UNIT_OF_WORK } from '#libs/outbox';
import type { UnitOfWork } from '#libs/streams';
import { ModelSnapshotRepository } from './model-snapshot.repository.js';
import { addCounts, type Comparison, type ModelDifference, type RowCounts } from './read-model-comparison.js';
import { RebuildModulesService } from './rebuild-modules.service.js';
import { RebuildRegistryService } from './rebuild-registry.service.js';
import { RebuildSiteService } from './rebuild-site.service.js';
import type { ToldPart } from './telling.js';

export interface RebuildOptions {
  /** Compares, and changes nothing. Then what follows from two parts that are both wrong is not seen. */
  readonly dryRun: boolean;
  /** Facts were on their way when it began: then a part that is only behind is explained. */
  readonly onTheWay: boolean;
  readonly onProgress?: (done: RebuiltParts) => void;
}

export interface RebuiltParts {
  registry: number;
  modules: number;
  sites: number;
}

export interface RebuildReport {
  readonly rebuilt: RebuiltParts;
  readonly counts: RowCounts;
  /** By kind and table, for all differences. */
  readonly explained: number;
  readonly unexplained: number;
  readonly byTable: Record<string, { missing: number; surplus: number; different: number; explained: number }>;
  /** The first unexplained ones of every table. */
  readonly examples: readonly ModelDifference[];
  /** Sites and advisories that are stored and that nobody told of; they are left as they are. */
  readonly untold: { readonly sites: readonly number[]; readonly advisories: readonly string[] };
}

/** Of every table: enough to see what it is about. */
const EXAMPLES = 8;

/** Ends a dry run's transaction without a commit. */
class RolledBack extends Error {
  constructor(readonly comparison: Comparison & { behind: boolean }) {
    super('dry run');
  }
}

/**
 * Rebuilds the read models part by part from what their owners tell, while the service goes on: each part is one transaction under the same locks
 * as live events, so that every answer shows a part as it was or as it is. A run that is killed has done some parts and not begun the others.
 */
@Injectable()
export class RebuildModelsService {
  constructor(
    @Inject(UNIT_OF_WORK) private readonly unitOfWork: UnitOfWork<EntityManager>,
    private readonly registry: RebuildRegistryService,
    private readonly modules: RebuildModulesService,
    private readonly sites: RebuildSiteService,
    private readonly snapshots: ModelSnapshotRepository,
  ) {}

  /** @throws BrokenTellingError, after the parts that came whole */
  async rebuild(parts: AsyncIterable<ToldPart>, options: RebuildOptions): Promise<RebuildReport> {
    const rebuilt: RebuiltParts = { registry: 0, modules: 0, sites: 0 };
    const counts: RowCounts = {};
    const byTable: RebuildReport['byTable'] = {};
    const examples: ModelDifference[] = [];
    const told = { sites: new Set<number>(), advisories: new Set<string>() };
    let [explained, unexplained] = [0, 0];
    for await (const part of parts) {
      const comparison = await this.once(part, options.dryRun);
      addCounts(counts, comparison.counts);
      const why = comparison.behind && options.onTheWay;
      for (const difference of comparison.differences) {
        const row = (byTable[difference.table] ??= { missing: 0, surplus: 0, different: 0, explained: 0 });
        row[difference.kind]++;
        if (why) row.explained++;
        else if (row.missing + row.surplus + row.different - row.explained <= EXAMPLES) examples.push(difference);
      }
      if (why) explained += comparison.differences.length;
      else unexplained += comparison.differences.length;
      note(part, rebuilt, told);
      options.onProgress?.(rebuilt);
    }
    const known = await this.unitOfWork.run((tx) => this.snapshots.known(tx));
    return {
      rebuilt,
      counts,
      explained,
      unexplained,
      byTable,
      examples,
      untold: {
        sites: known.siteIds.filter((siteId) => !told.sites.has(siteId)),
        advisories: known.advisories.filter((advisory) => !told.advisories.has(advisory)),
      },
    };
  }

  private async once(part: ToldPart, dryRun: boolean): Promise<Comparison & { behind: boolean }> {
    try {
      return await this.unitOfWork.run(async (tx) => {
        const comparison = await this.rebuildPart(tx, part);
        if (dryRun) throw new RolledBack(comparison);
        return comparison;
      });
    } catch (error) {
      if (error instanceof RolledBack) return error.comparison;
      throw error;
    }
  }

  private rebuildPart(tx: EntityManager, part: ToldPart): Promise<Comparison & { behind: boolean }> {
    switch (part.kind) {
      case 'registry':
        return this.registry.rebuild(tx, part.organizations, part.sites);
      case 'modules':
        return this.modules.rebuild(tx, part.histories, part.advisories);
      case 'site':
        return this.sites.rebuild(tx, part);
    }
  }
}

function note(part: ToldPart, rebuilt: RebuiltParts, told: { sites: Set<number>; advisories: Set<string> }): void {
  if (part.kind === 'registry') rebuilt.registry += part.organizations.length + part.sites.length;
  else if (part.kind === 'modules') {
    rebuilt.modules += part.histories.length;
    for (const { advisory } of part.advisories) told.advisories.add(advisory);
  } else {
    rebuilt.sites++;
    told.sites.add(part.heard.site_id);
  }
}
