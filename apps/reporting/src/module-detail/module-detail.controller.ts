import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { moduleDetail, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { ReadModuleService } from './read-module.service.js';

@Controller()
export class ModuleDetailController {
  constructor(private readonly modules: ReadModuleService) {}

  @RpcMethod(moduleDetail)
  detail(@Payload() input: RpcInput<typeof moduleDetail>): Promise<RpcOutput<typeof moduleDetail>> {
    return this.modules.detail(input);
  }
}
