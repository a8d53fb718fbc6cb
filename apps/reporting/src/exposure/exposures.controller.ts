import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { listExposures, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod, StreamsRpcContext, type TaggedAnswer } from '#libs/streams';
import { StampAnswersService } from '../answer-stamp/stamp-answers.service.js';
import { ListExposuresService } from './list-exposures.service.js';

@Controller()
export class ExposuresController {
  constructor(
    private readonly exposures: ListExposuresService,
    private readonly stamped: StampAnswersService,
  ) {}

  @RpcMethod(listExposures)
  list(
    @Payload() input: RpcInput<typeof listExposures>,
    @Ctx() { method, known }: StreamsRpcContext,
  ): Promise<RpcOutput<typeof listExposures> | TaggedAnswer> {
    return this.stamped.answer({ method, input, known }, () => this.exposures.list(input));
  }
}
