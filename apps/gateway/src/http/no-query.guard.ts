import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from './problem.js';

/** Where Nest keeps which arguments of a handler come from where: `<kind>:<index>`. */
const ARGUMENTS = '__routeArguments__';
/** Nest's number for `@Query()`. */
const QUERY = '4';
const KEY_IN_QUERY = /\?.*pw_(site|integration|enrolment)_/;
/** In a path the whole form counts: a module may be called `pw_site_map`. */
const KEY = /pw_(site|integration|enrolment)_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}/;

/**
 * A route that takes no query refuses every parameter, as the DTO of a route that takes one does. And no address, whoever it is
 * for, may carry a key (S49).
 */
@Injectable()
export class NoQueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (KEY_IN_QUERY.test(request.url) || KEY.test(request.url)) {
      throw new ProblemError(
        'key_in_query',
        'Send the key in the header X-API-Key, and replace it: it may stand in logs now.',
      );
    }
    if (!request.url.includes('?')) return true;
    const names = Object.keys(request.query as object);
    // Nest's pipe drops `__proto__` in silence.
    const refused = takesQuery(context) ? names.filter((name) => name === '__proto__') : names;
    if (refused.length === 0) return true;
    throw new ProblemError(
      'unknown_parameter',
      `There is no parameter ${refused.map((name) => `"${name.slice(0, 100)}"`).join(', ')} here.`,
      {
        errors: refused.slice(0, 20).map((name) => ({
          pointer: `/${name.slice(0, 100)}`,
          code: 'unknown_member',
          detail: 'does not exist here',
        })),
      },
    );
  }
}

function takesQuery(context: ExecutionContext): boolean {
  const known = Reflect.getMetadata(ARGUMENTS, context.getClass(), context.getHandler().name) as object | undefined;
  return Object.keys(known ?? {}).some((name) => name.startsWith(`${QUERY}:`));
}
