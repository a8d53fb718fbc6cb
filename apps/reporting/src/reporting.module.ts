import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MessagingModule } from '#libs/outbox';
import type { Clock, ServiceConfig } from '#libs/runtime';
import { ErasureModule } from './erasure/erasure.module.js';
import { ExportModule } from './export/export.module.js';
import { AdvisoryModule } from './advisory/advisory.module.js';
import { CLOCK } from './clock.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { ExposureModule } from './exposure/exposure.module.js';
import { IdentityModule } from './identity/identity.module.js';
import { InventoryModule } from './inventory/inventory.module.js';
import { ModuleDetailModule } from './module-detail/module-detail.module.js';
import { ModuleListModule } from './module-list/module-list.module.js';
import { SiteSummaryModule } from './site-summary/site-summary.module.js';
import { VersionStatusModule } from './version-status/version-status.module.js';

export interface ReportingParts {
  readonly config: ServiceConfig;
  /** The service's own; initialised. */
  readonly dataSource: DataSource;
  readonly clock: Clock;
}

/** What every feature is given: the database and the time. */
@Global()
@Module({})
class ReportingPartsModule {
  static with({ dataSource, clock }: ReportingParts): DynamicModule {
    return {
      module: ReportingPartsModule,
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: CLOCK, useValue: clock },
      ],
      exports: [DataSource, CLOCK],
    };
  }
}

/** The wiring of the service. */
@Module({})
export class ReportingModule {
  static with(parts: ReportingParts): DynamicModule {
    return {
      module: ReportingModule,
      imports: [
        MessagingModule.forService({ service: 'reporting', config: parts.config, dataSource: parts.dataSource }),
        ReportingPartsModule.with(parts),
        IdentityModule,
        InventoryModule,
        VersionStatusModule,
        ExposureModule,
        SiteSummaryModule,
        ModuleListModule,
        ModuleDetailModule,
        AdvisoryModule,
        DashboardModule,
        ErasureModule,
        ExportModule,
      ],
    };
  }
}
