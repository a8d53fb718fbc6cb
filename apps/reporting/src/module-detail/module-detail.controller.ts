import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { moduleDetail, moduleVersions, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { ReadModuleVersionsService } from './read-module-versions.service.js';
import { ReadModuleService } from './read-module.service.js';

@Controller()
export class ModuleDetailController {
  constructor(
    private readonly modules: ReadModuleService,
    private readonly moduleVersions: ReadModuleVersionsService,
  ) {}

  @RpcMethod(moduleDetail)
  detail(@Payload() input: RpcInput<typeof moduleDetail>): Promise<RpcOutput<typeof moduleDetail>> {
    return this.modules.detail(input);
  }

  @RpcMethod(moduleVersions)
  versions(@Payload() input: RpcInput<typeof moduleVersions>): Promise<RpcOutput<typeof moduleVersions>> {
    return this.moduleVersions.list(input);
  }
}
