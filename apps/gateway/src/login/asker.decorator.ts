import { createParamDecorator, SetMetadata } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problem.js';
import type { Principal, UserPrincipal } from '../identity/principal.js';

export const PUBLIC_ROUTE = 'patchwatch:public';
export const SITE_KEY_ROUTE = 'patchwatch:site-key';

/** A route that anybody may ask. All others need a person who is logged in. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC_ROUTE, true);

/** A route that a site may ask by its key too; the route itself limits it to that site. */
export const AllowSiteKey = (): MethodDecorator => SetMetadata(SITE_KEY_ROUTE, true);

/** A request once the guard has let it through. */
export type AuthenticatedRequest = FastifyRequest & { principal?: Principal };

/** Who asks: a person, or a site where the route allows it. */
export const Asker = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal === undefined)
    throw new ProblemError('missing_credentials', 'Send an access token: Authorization: Bearer …');
  return principal;
});

/** The person who asks. The guard lets nobody else reach a route without `@AllowSiteKey()`. */
export const Person = createParamDecorator((_: unknown, context: ExecutionContext): UserPrincipal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal?.kind !== 'user') throw new ProblemError('forbidden', 'This is for people who are logged in.');
  return principal;
});
