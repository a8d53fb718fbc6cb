import { applyDecorators, Catch, UseFilters, type ExceptionFilter } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { RpcDefinition } from '#libs/contracts';

/**
 * Hands on the very error that the handler threw. Without it Nest's own filter turns everything but an RpcException into
 * `Internal server error`: class, code, message and stack are gone (seen in 12.1.1).
 */
@Catch()
class RethrowingFilter implements ExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** Under this name a handler carries its definition to the server. */
export const DEFINITION = 'definition';

/**
 * Makes a method of a controller the answer to `definition`: `(input, context: StreamsRpcContext) => output`. The server checks the input against
 * the contract before the method sees it. Use it instead of `@MessagePattern`, which knows no contract and loses errors.
 */
export function RpcMethod(definition: RpcDefinition): MethodDecorator {
  return applyDecorators(
    MessagePattern(definition.method, { [DEFINITION]: definition }),
    UseFilters(new RethrowingFilter()),
  );
}
