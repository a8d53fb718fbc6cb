import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { dashboardOverview, patchProgress, reportingProgress, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { ReadDashboardService } from './read-dashboard.service.js';
import { ReadProgressService } from './read-progress.service.js';

@Controller()
export class DashboardController {
  constructor(
    private readonly dashboard: ReadDashboardService,
    private readonly progresses: ReadProgressService,
  ) {}

  @RpcMethod(dashboardOverview)
  overview(@Payload() input: RpcInput<typeof dashboardOverview>): Promise<RpcOutput<typeof dashboardOverview>> {
    return this.dashboard.overview(input);
  }

  @RpcMethod(patchProgress)
  patchProgress(@Payload() input: RpcInput<typeof patchProgress>): Promise<RpcOutput<typeof patchProgress>> {
    return this.progresses.ofPatches(input);
  }

  @RpcMethod(reportingProgress)
  progress(@Payload() input: RpcInput<typeof reportingProgress>): Promise<RpcOutput<typeof reportingProgress>> {
    return this.progresses.ofReporting(input);
  }
}
