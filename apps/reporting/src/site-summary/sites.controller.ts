import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { listSites, siteModules, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { ReadSitesService } from './read-sites.service.js';

@Controller()
export class SitesController {
  constructor(private readonly sites: ReadSitesService) {}

  @RpcMethod(listSites)
  list(@Payload() input: RpcInput<typeof listSites>): Promise<RpcOutput<typeof listSites>> {
    return this.sites.list(input);
  }

  @RpcMethod(siteModules)
  modules(@Payload() input: RpcInput<typeof siteModules>): Promise<RpcOutput<typeof siteModules>> {
    return this.sites.modulesOf(input);
  }
}
