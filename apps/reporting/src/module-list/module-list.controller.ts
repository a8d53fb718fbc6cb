import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { listModules, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod, StreamsRpcContext, type TaggedAnswer } from '#libs/streams';
import { StampAnswersService } from '../answer-stamp/stamp-answers.service.js';
import { ListModulesService } from './list-modules.service.js';

@Controller()
export class ModuleListController {
  constructor(
    private readonly modules: ListModulesService,
    private readonly stamped: StampAnswersService,
  ) {}

  @RpcMethod(listModules)
  list(
    @Payload() input: RpcInput<typeof listModules>,
    @Ctx() { method, known }: StreamsRpcContext,
  ): Promise<RpcOutput<typeof listModules> | TaggedAnswer> {
    return this.stamped.answer({ method, input, known }, () => this.modules.list(input));
  }
}
