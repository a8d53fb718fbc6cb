import type { DataSource, EntityManager } from 'typeorm';
import type {
  AdvisoryChanged,
  InventoryChanged,
  ModuleReleasesChanged,
  OrganizationChanged,
  SiteChanged,
} from '#libs/contracts';
import { createDataSource, TypeOrmUnitOfWork } from '#libs/database';
import { TableOutbox } from '#libs/outbox';
import { ManualClock, testDatabase, type TestDatabase } from '#libs/testing';
import { AssessmentLockRepository } from '../src/assessment-lock/assessment-lock.repository.js';
import { AssessmentLockService } from '../src/assessment-lock/assessment-lock.service.js';
import { ExposureFiguresRepository } from '../src/dashboard/exposure-figures.repository.js';
import { FleetRepository } from '../src/dashboard/fleet.repository.js';
import { PatchProgressRepository } from '../src/dashboard/patch-progress.repository.js';
import { ExposureColumnsRepository } from '../src/dashboard/exposure-columns.repository.js';
import { ReadProgressService } from '../src/dashboard/read-progress.service.js';
import { ReadDashboardService } from '../src/dashboard/read-dashboard.service.js';
import { ExposureListRepository } from '../src/exposure/exposure-list.repository.js';
import { ListExposuresService } from '../src/exposure/list-exposures.service.js';
import { ModuleDetailRepository } from '../src/module-detail/module-detail.repository.js';
import { ReadModuleService } from '../src/module-detail/read-module.service.js';
import { ReadSitesService } from '../src/site-summary/read-sites.service.js';
import { SiteListRepository } from '../src/site-summary/site-list.repository.js';
import { SiteModulesRepository } from '../src/site-summary/site-modules.repository.js';
import { entities } from '../src/database/entities.js';
import { migrations } from '../src/database/migrations/index.js';
import { ExposureAnnouncementRepository } from '../src/exposure/exposure-announcement.repository.js';
import { ExposureRepository } from '../src/exposure/exposure.repository.js';
import { ReconcileExposuresService } from '../src/exposure/reconcile-exposures.service.js';
import { FollowRegistryService } from '../src/identity/follow-registry.service.js';
import { IdentityRepository } from '../src/identity/identity.repository.js';
import { SiteFactsRepository } from '../src/inventory/site-facts.repository.js';
import { StoreInventoriesService } from '../src/inventory/store-inventories.service.js';
import { SiteContactRepository } from '../src/site-summary/site-contact.repository.js';
import { SiteSummaryRepository } from '../src/site-summary/site-summary.repository.js';
import { SummarizeSitesService } from '../src/site-summary/summarize-sites.service.js';
import { AssessModulesService } from '../src/version-status/assess-modules.service.js';
import { CatalogRepository } from '../src/version-status/catalog.repository.js';
import { JudgeVersionsService } from '../src/version-status/judge-versions.service.js';
import { VersionRepository } from '../src/version-status/version.repository.js';

/** The writing half of reporting on a database of its own, without streams: what consumers call, each call one transaction. */
export class ReportingBox {
  readonly clock = new ManualClock('2026-10-01T00:00:00Z');
  readonly unitOfWork: TypeOrmUnitOfWork;
  readonly inventories: StoreInventoriesService;
  readonly modules: AssessModulesService;
  readonly registry: FollowRegistryService;
  readonly sites: ReadSitesService;
  readonly modulePages: ReadModuleService;
  readonly exposures: ListExposuresService;
  readonly dashboard: ReadDashboardService;
  readonly progress: ReadProgressService;

  private constructor(
    readonly database: TestDatabase,
    /** As the service has it. */
    readonly dataSource: DataSource,
  ) {
    // No second attempt: the order of locks alone must keep transactions from waiting in a circle.
    this.unitOfWork = new TypeOrmUnitOfWork(dataSource, { attempts: 1 });
    const locks = new AssessmentLockService(new AssessmentLockRepository());
    const exposures = new ReconcileExposuresService(
      new ExposureRepository(),
      new ExposureAnnouncementRepository(),
      new TableOutbox(this.clock),
      this.clock,
    );
    const summaries = new SummarizeSitesService(new SiteSummaryRepository(), new SiteContactRepository());
    const versions = new JudgeVersionsService(new CatalogRepository(), new VersionRepository());
    this.inventories = new StoreInventoriesService(locks, versions, new SiteFactsRepository(), exposures, summaries);
    this.modules = new AssessModulesService(locks, new CatalogRepository(), versions, exposures, summaries);
    this.sites = new ReadSitesService(
      new SiteListRepository(dataSource),
      new SiteModulesRepository(dataSource),
      this.clock,
    );
    this.modulePages = new ReadModuleService(new ModuleDetailRepository(dataSource), this.clock);
    this.exposures = new ListExposuresService(new ExposureListRepository(dataSource), this.clock);
    this.dashboard = new ReadDashboardService(
      dataSource,
      new FleetRepository(),
      new ExposureFiguresRepository(),
      new ExposureColumnsRepository(),
      this.clock,
    );
    this.progress = new ReadProgressService(new PatchProgressRepository(dataSource));
    this.registry = new FollowRegistryService(locks, new IdentityRepository(), exposures, summaries);
  }

  static async open(poolSize = 8): Promise<ReportingBox> {
    const database = await testDatabase({ schema: 'reporting', entities, migrations });
    const dataSource = createDataSource({
      url: database.url,
      schema: 'reporting',
      entities,
      migrations,
      applicationName: 'reporting-test',
      poolSize,
      statementTimeoutMs: 120_000,
    });
    return new ReportingBox(database, await dataSource.initialize());
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.database.drop();
  }

  run<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return this.unitOfWork.run(work);
  }

  query<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.dataSource.query(sql, parameters);
  }

  push(...inventories: InventoryChanged[]): Promise<void> {
    return this.run((tx) => this.inventories.store(tx, inventories, []));
  }

  tell(...facts: (ModuleReleasesChanged | AdvisoryChanged)[]): Promise<void> {
    return this.run((tx) =>
      this.modules.assess(
        tx,
        facts.filter((fact): fact is ModuleReleasesChanged => 'history' in fact),
        facts.filter((fact): fact is AdvisoryChanged => 'advisory' in fact),
      ),
    );
  }

  register(...facts: (OrganizationChanged | SiteChanged)[]): Promise<void> {
    return this.run((tx) =>
      this.registry.follow(
        tx,
        facts.filter((fact): fact is OrganizationChanged => !('site_id' in fact)),
        facts.filter((fact): fact is SiteChanged => 'site_id' in fact),
      ),
    );
  }
}
