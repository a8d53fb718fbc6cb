import { Injectable } from '@nestjs/common';
import type { RpcDefinition, RpcInput, RpcOutput } from '#libs/contracts';
import { RpcClient, RpcError } from '#libs/streams';
import { ProblemError } from '../http/problem.js';
import { jitteredSeconds } from '../http/to-problem.js';

/** Asks the services that own the data while a person waits. */
@Injectable()
export class Questions {
  constructor(private readonly client: RpcClient) {}

  /**
   * @throws ProblemError `unavailable` when no answer comes in time, `invalid_parameter` when the owner refuses the
   * question, else the failure itself (a 500 for the person).
   */
  async ask<D extends RpcDefinition>(definition: D, input: RpcInput<D>, deadlineMs = 5_000): Promise<RpcOutput<D>> {
    try {
      return await this.client.call(definition, input, { deadlineMs });
    } catch (error) {
      throw error instanceof RpcError ? toProblem(error, definition) : error;
    }
  }
}

function toProblem(error: RpcError, definition: RpcDefinition): Error {
  if (error.status === 404) {
    return new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.', { cause: error });
  }
  if (error.status === 400 || error.status === 422) {
    return new ProblemError('invalid_parameter', error.message, { cause: error });
  }
  if (error.status === 503 || error.status === 504 || error.status === 499) {
    return new ProblemError('unavailable', `The service ${definition.service} does not answer at the moment.`, {
      retryAfterSeconds: jitteredSeconds(),
      cause: error,
    });
  }
  return error;
}
