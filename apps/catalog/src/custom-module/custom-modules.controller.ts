import { Controller } from '@nestjs/common';
import { customModules, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { TakeCustomModulesService } from './take-custom-modules.service.js';

/** Modules of organizations' own. */
@Controller()
export class CustomModulesController {
  constructor(private readonly customModules: TakeCustomModulesService) {}

  @RpcMethod(customModules)
  list(input: RpcInput<typeof customModules>): Promise<RpcOutput<typeof customModules>> {
    return this.customModules.list(input);
  }
}
