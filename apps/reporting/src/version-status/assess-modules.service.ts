import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { AdvisoryChanged, CustomReleasesChanged, ModuleReleasesChanged } from '#libs/contracts';
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
    own: readonly CustomReleasesChanged[] = [],
  ): Promise<void> {
    const newestHistories = newest(histories, ({ module }) => module);
    const newestAdvisories = newest(advisories, ({ advisory, module }) => `${advisory} ${module}`);
    const newestOwn = newest(own, ({ organization_id, module }) => `${module} ${organization_id}`);
    const named = [...new Set(newestAdvisories.map(({ advisory }) => advisory))];
    await this.locks.takeAdvisories(tx, named);
    const modules = [...newestHistories, ...newestAdvisories, ...newestOwn].map(({ module }) => module);
    // An advisory that turns out to be about another module leaves the one it was about.
    await this.locks.takeModules(tx, [...modules, ...(await this.catalog.modulesNamedBy(tx, named))]);
    const moduleIds = await this.catalog.moduleIds(tx, modules);

    const changedModules = await this.catalog.storeHistories(tx, newestHistories);
    await this.catalog.keepRevisions(tx, advisories);
    const storedAdvisories = await this.catalog.storeAdvisories(tx, newestAdvisories, moduleIds);
    const changedAdvisories = [...storedAdvisories, ...(await this.catalog.supersede(tx, named))];
    const advisoryModules = await this.catalog.modulesOf(tx, changedAdvisories);
    const ownModules = await this.versions.takeOwn(tx, newestOwn, moduleIds);
    const assessed = [...new Set([...changedModules, ...advisoryModules, ...ownModules])].sort((a, b) => a - b);
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
