import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { Refuses } from './openapi.decorator.js';
import { ProblemError } from './problem.js';

const NEEDS_IF_MATCH = 'patchwatch:needs-if-match';

/** A change that must say which state it is based on. The service holds it against the row (`mustMatch`). */
export const NeedsIfMatch = (): MethodDecorator =>
  applyDecorators(
    SetMetadata(NEEDS_IF_MATCH, true),
    ApiHeader({
      name: 'If-Match',
      required: true,
      description: 'The `ETag` of the answer you read it by; `*` to change it whatever it is.',
      schema: { type: 'string' },
    }),
    Refuses('precondition_required', 'precondition_failed'),
  );

/** Refuses changes of configuration that do not say what they are based on: two people must not undo each other's work unseen. */
@Injectable()
export class NeedsIfMatchInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const isNeeded = this.reflector.get<boolean | undefined>(NEEDS_IF_MATCH, context.getHandler()) === true;
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    if (isNeeded && headers['if-match'] === undefined)
      throw new ProblemError(
        'precondition_required',
        'Read it first, and send the ETag of that answer as If-Match; or If-Match: * to change it whatever it is.',
      );
    return next.handle();
  }
}
