import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AdvisoryChanged, ModuleReleasesChanged } from '#libs/contracts';
import { AssessmentLockService } from '../assessment-lock/assessment-lock.service.js';
import { ReconcileExposuresService } from '../exposure/reconcile-exposures.service.js';
import { SummarizeSitesService } from '../site-summary/summarize-sites.service.js';
import { CatalogRepository } from './catalog.repository.js';
import { JudgeVersionsService } from './judge-versions.service.js';

/**
 * Takes over what the catalog tells of modules, a batch at a time: stores it, judges the modules' versions anew and brings the
 * exposures of all sites that run or ran them in step. Of one module or advisory the greatest revision counts.
 */
@Injectable()
export class AssessModulesService {
  constructor(
    private readonly locks: AssessmentLockService,
    private readonly catalog: CatalogRepository,
    private readonly versions: JudgeVersionsService,
    private readonly exposures: ReconcileExposuresService,
    private readonly summaries: SummarizeSitesService,
  ) {}

  async assess(
    tx: EntityManager,
    histories: readonly ModuleReleasesChanged[],
    advisories: readonly AdvisoryChanged[],
  ): Promise<void> {
    const newestHistories = newest(histories, ({ module }) => module);
    const newestAdvisories = newest(advisories, ({ advisory, module }) => `${advisory} ${module}`);
    const modules = [...newestHistories, ...newestAdvisories].map(({ module }) => module);
    await this.locks.takeModules(tx, modules);
    const moduleIds = await this.catalog.moduleIds(tx, modules);

    const changedModules = await this.catalog.storeHistories(tx, newestHistories);
    const changedAdvisories = await this.catalog.storeAdvisories(tx, newestAdvisories, moduleIds);
    const advisoryModules = await this.catalog.modulesOf(tx, changedAdvisories);
    const assessed = [...new Set([...changedModules, ...advisoryModules])].sort((a, b) => a - b);
    if (assessed.length === 0) return;

    const changed = await this.versions.rejudge(tx, assessed, new Set(changedAdvisories));
    const touched = await this.exposures.reconcile(tx, {
      ...(await this.versions.sitesThatRan(tx, changed.versionIds)),
      causeIds: changed.causeIds,
    });
    await this.summaries.afterCatalog(tx, assessed, touched, changedAdvisories);
  }
}

/** The item with the greatest revision of each key, ordered by key. */
function newest<T extends { readonly revision: number }>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const byKey = new Map<string, T>();
  for (const item of items) {
    const known = byKey.get(keyOf(item));
    if (!known || known.revision < item.revision) byKey.set(keyOf(item), item);
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
