import { applyDecorators, createParamDecorator, SetMetadata } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { ApiExtension, ApiSecurity } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problem.js';
import type { Actor, EnrolmentKeyPrincipal, Principal, UserPrincipal } from '../identity/principal.js';
import type { KeyScope } from '../integration-key/key-scopes.js';

export const PUBLIC_ROUTE = 'patchwatch:public';
export const SITE_KEY_ROUTE = 'patchwatch:site-key';
export const ENROLMENT_KEY_ROUTE = 'patchwatch:enrolment-key';
export const OPEN_WITHOUT_FACTOR = 'patchwatch:open-without-second-factor';
export const KEY_SCOPE = 'patchwatch:key-scope';

/** A route that anybody may ask. All others need a person who is logged in. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC_ROUTE, true);

/** A route that a site may ask by its key too; the route itself limits it to that site. */
export const AllowSiteKey = (): MethodDecorator =>
  applyDecorators(SetMetadata(SITE_KEY_ROUTE, true), ApiSecurity('site_key'));

/** A route for people who owe their organization a second factor, too: what they need to turn it on. */
export const OpenWithoutSecondFactor = (): MethodDecorator => SetMetadata(OPEN_WITHOUT_FACTOR, true);

/** A route for agents with an enrolment key, and for nobody else. */
export const OnlyEnrolmentKey = (): MethodDecorator =>
  applyDecorators(SetMetadata(ENROLMENT_KEY_ROUTE, true), ApiSecurity('enrolment_key'));

/** A route that an integration key with this scope may ask too. Its handler takes `@Asking()`. */
export const AllowIntegrationKey = (scope: KeyScope): MethodDecorator =>
  applyDecorators(SetMetadata(KEY_SCOPE, scope), ApiSecurity('integration_key'), ApiExtension('x-key-scope', scope));

/** A request once the guard has let it through. */
export type AuthenticatedRequest = FastifyRequest & { principal?: Principal };

/** Who asks: a person, or a key where the route allows it. */
export const Asker = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal === undefined)
    throw new ProblemError('missing_credentials', 'Send an access token: Authorization: Bearer …');
  return principal;
});

/** Who asks: a person, or a program by an integration key where the route allows it. */
export const Asking = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal?.kind === 'user' || principal?.kind === 'integration_key') return principal;
  throw new ProblemError('forbidden', 'This is for people who are logged in, and for integration keys.');
});

/** The person who asks. The guard lets nobody else reach a route that does not say so. */
export const Person = createParamDecorator((_: unknown, context: ExecutionContext): UserPrincipal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal?.kind !== 'user') throw new ProblemError('forbidden', 'This is for people who are logged in.');
  return principal;
});

/** The enrolment key by which an agent asks. */
export const Enroller = createParamDecorator((_: unknown, context: ExecutionContext): EnrolmentKeyPrincipal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (principal?.kind !== 'enrolment_key') throw new ProblemError('forbidden', 'This is for enrolment keys.');
  return principal;
});
