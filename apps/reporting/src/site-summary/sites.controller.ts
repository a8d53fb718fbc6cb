import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { listSites, siteModules, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod, StreamsRpcContext, type TaggedAnswer } from '#libs/streams';
import { StampAnswersService } from '../answer-stamp/stamp-answers.service.js';
import { ReadSitesService } from './read-sites.service.js';

@Controller()
export class SitesController {
  constructor(
    private readonly sites: ReadSitesService,
    private readonly stamped: StampAnswersService,
  ) {}

  @RpcMethod(listSites)
  list(
    @Payload() input: RpcInput<typeof listSites>,
    @Ctx() { method, known }: StreamsRpcContext,
  ): Promise<RpcOutput<typeof listSites> | TaggedAnswer> {
    return this.stamped.answer({ method, input, known }, () => this.sites.list(input));
  }

  @RpcMethod(siteModules)
  modules(
    @Payload() input: RpcInput<typeof siteModules>,
    @Ctx() { method, known }: StreamsRpcContext,
  ): Promise<RpcOutput<typeof siteModules> | TaggedAnswer> {
    const { site } = input;
    return this.stamped.answer({ method, input, known, site }, () => this.sites.modulesOf(input));
  }
}
