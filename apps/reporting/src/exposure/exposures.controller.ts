import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { listExposures, type RpcInput, type RpcOutput } from '#libs/contracts';
import { RpcMethod } from '#libs/streams';
import { ListExposuresService } from './list-exposures.service.js';

@Controller()
export class ExposuresController {
  constructor(private readonly exposures: ListExposuresService) {}

  @RpcMethod(listExposures)
  list(@Payload() input: RpcInput<typeof listExposures>): Promise<RpcOutput<typeof listExposures>> {
    return this.exposures.list(input);
  }
}
