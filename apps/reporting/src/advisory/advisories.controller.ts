import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { advisoryDetail, advisorySites, listAdvisories, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { ListAdvisoriesService } from './list-advisories.service.js';
import { ReadAdvisoryService } from './read-advisory.service.js';

@Controller()
export class AdvisoriesController {
  constructor(
    private readonly advisories: ListAdvisoriesService,
    private readonly oneAdvisory: ReadAdvisoryService,
  ) {}

  @RpcMethod(listAdvisories)
  list(@Payload() input: RpcInput<typeof listAdvisories>): Promise<RpcOutput<typeof listAdvisories>> {
    return this.advisories.list(input);
  }

  @RpcMethod(advisoryDetail)
  detail(@Payload() input: RpcInput<typeof advisoryDetail>): Promise<RpcOutput<typeof advisoryDetail>> {
    return this.oneAdvisory.detail(input);
  }

  @RpcMethod(advisorySites)
  sites(@Payload() input: RpcInput<typeof advisorySites>): Promise<RpcOutput<typeof advisorySites>> {
    return this.oneAdvisory.sitesOf(input);
  }
}
