import type { DataSource, EntityManager } from 'typeorm';
import type {
  AdvisoryChanged,
  CustomReleasesChanged,
  InventoryChanged,
  ModuleReleasesChanged,
  OrganizationChanged,
  SiteChanged,
  SitesHeard,
} from '#libs/contracts';
import { asSystem, createDataSource, prepareDatabase, TypeOrmUnitOfWork, urlForRole } from '#libs/database';
import { TableOutbox } from '#libs/outbox';
import { dropRoles, ManualClock, testDatabase, type TestDatabase } from '#libs/testing';
import { AdvisoryFactsRepository } from '../src/advisory/advisory-facts.repository.js';
import { AdvisorySitesRepository } from '../src/advisory/advisory-sites.repository.js';
import { ListAdvisoriesService } from '../src/advisory/list-advisories.service.js';
import { ReadAdvisoryService } from '../src/advisory/read-advisory.service.js';
import { AnswerStampRepository } from '../src/answer-stamp/answer-stamp.repository.js';
import { StampAnswersService } from '../src/answer-stamp/stamp-answers.service.js';
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
import { FleetCountsRepository } from '../src/fleet-counts/fleet-counts.repository.js';
import { FleetCountsService } from '../src/fleet-counts/fleet-counts.service.js';
import { ModuleDetailRepository } from '../src/module-detail/module-detail.repository.js';
import { ModuleVersionsRepository } from '../src/module-detail/module-versions.repository.js';
import { ReadModuleVersionsService } from '../src/module-detail/read-module-versions.service.js';
import { ReadModuleService } from '../src/module-detail/read-module.service.js';
import { ModuleHistoryRepository } from '../src/module-history/module-history.repository.js';
import { ModuleHistoryService } from '../src/module-history/module-history.service.js';
import { CountModulesService } from '../src/module-list/count-modules.service.js';
import { KnownModulesRepository } from '../src/module-list/known-modules.repository.js';
import { KnownModulesService } from '../src/module-list/known-modules.service.js';
import { ListModulesService } from '../src/module-list/list-modules.service.js';
import { JudgeOwnVersionsService } from '../src/own-module/judge-own-versions.service.js';
import { OwnModuleRepository } from '../src/own-module/own-module.repository.js';
import { OwnModulesService } from '../src/own-module/own-modules.service.js';
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
import { ModuleStandingRepository } from '../src/site-summary/module-standing.repository.js';
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
  readonly moduleVersions: ReadModuleVersionsService;
  readonly moduleList: ListModulesService;
  readonly advisories: ListAdvisoriesService;
  readonly advisoryPages: ReadAdvisoryService;
  readonly exposures: ListExposuresService;
  readonly dashboard: ReadDashboardService;
  readonly progress: ReadProgressService;
  readonly stamped: StampAnswersService;

  private constructor(
    readonly database: TestDatabase,
    /** As the service has it. */
    readonly dataSource: DataSource,
    private readonly role: string | null = null,
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
    const summaries = new SummarizeSitesService(
      new SiteSummaryRepository(),
      new ModuleStandingRepository(),
      new SiteContactRepository(),
    );
    const versions = new JudgeVersionsService(
      new CatalogRepository(),
      new VersionRepository(),
      new JudgeOwnVersionsService(new OwnModuleRepository()),
    );
    const own = new OwnModulesService(new OwnModuleRepository());
    const histories = new ModuleHistoryService(new ModuleHistoryRepository());
    const fleetCounts = new FleetCountsService(new FleetCountsRepository());
    this.inventories = new StoreInventoriesService(locks, versions, new SiteFactsRepository(), exposures, summaries);
    this.modules = new AssessModulesService(locks, new CatalogRepository(), versions, exposures, summaries);
    this.sites = new ReadSitesService(
      new SiteListRepository(dataSource),
      new SiteModulesRepository(dataSource),
      this.clock,
    );
    this.modulePages = new ReadModuleService(dataSource, new ModuleDetailRepository(), histories, own, this.clock);
    this.moduleVersions = new ReadModuleVersionsService(
      dataSource,
      this.modulePages,
      new ModuleVersionsRepository(),
      this.clock,
    );
    this.moduleList = new ListModulesService(
      dataSource,
      new CountModulesService(fleetCounts, new KnownModulesService(new KnownModulesRepository()), own),
      histories,
      this.clock,
    );
    this.advisories = new ListAdvisoriesService(dataSource, new AdvisoryFactsRepository(), fleetCounts, this.clock);
    this.advisoryPages = new ReadAdvisoryService(
      dataSource,
      new AdvisoryFactsRepository(),
      new AdvisorySitesRepository(),
      this.clock,
    );
    this.exposures = new ListExposuresService(new ExposureListRepository(dataSource), this.clock);
    this.dashboard = new ReadDashboardService(
      dataSource,
      new FleetRepository(),
      new ExposureFiguresRepository(),
      new ExposureColumnsRepository(),
      this.clock,
    );
    this.progress = new ReadProgressService(new PatchProgressRepository(dataSource));
    this.stamped = new StampAnswersService(new AnswerStampRepository(dataSource), this.clock);
    this.registry = new FollowRegistryService(locks, new IdentityRepository(), exposures, summaries);
  }

  static async open(poolSize = 8): Promise<ReportingBox> {
    const database = await testDatabase({ schema: 'reporting', entities, migrations });
    return new ReportingBox(database, await connect(database.url, poolSize));
  }

  /** As `open`, but on connections of a service's own role: row-level security takes part, as in production. */
  static async openAsService(): Promise<ReportingBox> {
    const database = await testDatabase({ schema: 'reporting', entities, migrations });
    const role = `reporting_${new URL(database.url).pathname.slice(1)}`;
    const password = role;
    const services = [{ schema: 'reporting', role, password, entities, migrations }];
    await prepareDatabase({ adminUrl: database.url, services });
    return new ReportingBox(database, await connect(urlForRole(database.url, role, password), 8), role);
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.database.drop();
    if (this.role !== null) await dropRoles([this.role]);
  }

  /** One transaction of the platform's own, as consumers have it. */
  run<T>(work: (tx: EntityManager) => Promise<T>): Promise<T> {
    return asSystem(() => this.unitOfWork.run(work));
  }

  query<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.dataSource.query(sql, parameters);
  }

  push(...inventories: InventoryChanged[]): Promise<void> {
    return this.run((tx) => this.inventories.store(tx, inventories, []));
  }

  hear(...heard: SitesHeard['sites'][number][]): Promise<void> {
    return this.run((tx) => this.inventories.store(tx, [], heard));
  }

  tell(...facts: (ModuleReleasesChanged | AdvisoryChanged | CustomReleasesChanged)[]): Promise<void> {
    return this.run((tx) =>
      this.modules.assess(
        tx,
        facts.filter((fact): fact is ModuleReleasesChanged => 'outcome' in fact),
        facts.filter((fact): fact is AdvisoryChanged => 'advisory' in fact),
        facts.filter((fact): fact is CustomReleasesChanged => 'organization_id' in fact),
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

function connect(url: string, poolSize: number): Promise<DataSource> {
  return createDataSource({
    url,
    schema: 'reporting',
    entities,
    migrations,
    applicationName: 'reporting-test',
    poolSize,
    statementTimeoutMs: 120_000,
  }).initialize();
}
