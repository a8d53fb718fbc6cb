import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { listModules, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { ListModulesService } from './list-modules.service.js';

@Controller()
export class ModuleListController {
  constructor(private readonly modules: ListModulesService) {}

  @RpcMethod(listModules)
  list(@Payload() input: RpcInput<typeof listModules>): Promise<RpcOutput<typeof listModules>> {
    return this.modules.list(input);
  }
}
