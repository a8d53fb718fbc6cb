import { Controller } from '@nestjs/common';
import { listSyncFailures, moduleSync, syncOverview, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { ReportSyncService } from './report-sync.service.js';

/** How following upstream goes. */
@Controller()
export class SyncReportController {
  constructor(private readonly report: ReportSyncService) {}

  @RpcMethod(moduleSync)
  module(input: RpcInput<typeof moduleSync>): Promise<RpcOutput<typeof moduleSync>> {
    return this.report.module(input);
  }

  @RpcMethod(listSyncFailures)
  failures(input: RpcInput<typeof listSyncFailures>): Promise<RpcOutput<typeof listSyncFailures>> {
    return this.report.failures(input);
  }

  @RpcMethod(syncOverview)
  overview(): Promise<RpcOutput<typeof syncOverview>> {
    return this.report.overview();
  }
}
