import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { dashboardOverview, patchProgress, reportingProgress, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod, StreamsRpcContext, type TaggedAnswer } from '#libs/streams';
import { StampAnswersService } from '../answer-stamp/stamp-answers.service.js';
import { ReadDashboardService } from './read-dashboard.service.js';
import { ReadProgressService } from './read-progress.service.js';

@Controller()
export class DashboardController {
  constructor(
    private readonly dashboard: ReadDashboardService,
    private readonly progresses: ReadProgressService,
    private readonly stamped: StampAnswersService,
  ) {}

  @RpcMethod(dashboardOverview)
  overview(
    @Payload() input: RpcInput<typeof dashboardOverview>,
    @Ctx() { method, known }: StreamsRpcContext,
  ): Promise<RpcOutput<typeof dashboardOverview> | TaggedAnswer> {
    return this.stamped.answer({ method, input, known }, () => this.dashboard.overview(input));
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
