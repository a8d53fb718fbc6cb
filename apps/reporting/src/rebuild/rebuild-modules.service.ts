import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AdvisoryChanged, ModuleReleasesChanged } from '#libs/contracts';
import { AssessmentLockService } from '../assessment-lock/assessment-lock.service.js';
import { AssessModulesService } from '../version-status/assess-modules.service.js';
import { ForgetModelsRepository } from './forget-models.repository.js';
import { ModelSnapshotRepository } from './model-snapshot.repository.js';
import { compareModels, type Comparison } from './read-model-comparison.js';

/** Rebuilds what is known of modules and what follows from it: versions judged anew, exposures brought in step on all sites. */
@Injectable()
export class RebuildModulesService {
  constructor(
    private readonly locks: AssessmentLockService,
    private readonly forget: ForgetModelsRepository,
    private readonly snapshots: ModelSnapshotRepository,
    private readonly modules: AssessModulesService,
  ) {}

  /** @returns what became different, and whether the models were only behind: they had an older revision, or none. */
  async rebuild(
    tx: EntityManager,
    histories: readonly ModuleReleasesChanged[],
    advisories: readonly AdvisoryChanged[],
  ): Promise<Comparison & { behind: boolean }> {
    const names = [...new Set([...histories, ...advisories].map(({ module }) => module))];
    await this.locks.takeAdvisories(
      tx,
      advisories.map(({ advisory }) => advisory),
    );
    await this.locks.takeModules(tx, names);
    const before = await this.snapshots.ofModules(tx, await this.forget.moduleIds(tx, names));
    await this.forget.catalog(tx, histories, advisories);
    await this.modules.assess(tx, histories, advisories);
    const after = await this.snapshots.ofModules(tx, await this.forget.moduleIds(tx, names));
    const comparison = compareModels(
      `modules ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`,
      before,
      after,
    );
    return { ...comparison, behind: isBehind(comparison) };
  }
}

/** Every row of the catalog that differs has a greater revision now, or was not there; what is derived follows from it. */
function isBehind({ differences }: Comparison): boolean {
  const told = differences.filter(({ table }) => table === 'modules' || table === 'advisories');
  return (
    told.length > 0 &&
    told.every(({ kind, columns }) => kind === 'missing' || columns.some((column) => column.startsWith('revision:')))
  );
}
