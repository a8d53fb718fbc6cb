import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { ProblemError } from '../http/problem.js';
import type { Principal } from '../identity/principal.js';
import type { KeyScope } from '../integration-key/key-scopes.js';
import { ENROLMENT_KEY_ROUTE, KEY_SCOPE, PUBLIC_ROUTE, SITE_KEY_ROUTE } from './asker.decorator.js';
import type { AuthenticatedRequest } from './asker.decorator.js';
import { Authenticator } from './authenticator.service.js';

type Targets = Parameters<Reflector['getAllAndOverride']>[1];

/**
 * On every route: who is it, and is the route for her? A new route is closed to everybody but people until it says otherwise. What it
 * refuses, the problem filter notes.
 */
@Injectable()
export class PrincipalGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.is(PUBLIC_ROUTE, targets)) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const principal = await this.authenticator.authenticate(
      request,
      context.switchToHttp().getResponse<FastifyReply>(),
    );
    // Before anything is refused: the audit line names who it was.
    request.principal = principal;
    this.mustBeFor(principal, targets);
    return true;
  }

  /** @throws ProblemError `forbidden`, `insufficient_scope` */
  private mustBeFor(principal: Principal, targets: Targets): void {
    switch (principal.kind) {
      case 'user':
        if (this.is(ENROLMENT_KEY_ROUTE, targets))
          throw new ProblemError('forbidden', 'This is for agents with an enrolment key. People: POST /api/v1/sites.');
        return;
      case 'site_key':
        if (this.is(SITE_KEY_ROUTE, targets)) return;
        throw new ProblemError('forbidden', 'A site key may push, and ask for the state of its pushes; nothing else.');
      case 'enrolment_key':
        if (this.is(ENROLMENT_KEY_ROUTE, targets)) return;
        throw new ProblemError('forbidden', 'An enrolment key may register sites; nothing else.');
      case 'integration_key': {
        const scope = this.reflector.getAllAndOverride<KeyScope | undefined>(KEY_SCOPE, targets);
        if (scope === undefined) throw new ProblemError('forbidden', 'No integration key may do this: log in.');
        if (!principal.scopes.includes(scope))
          throw new ProblemError('insufficient_scope', `The key needs the scope ${scope}.`);
      }
    }
  }

  private is(mark: string, targets: Targets): boolean {
    return this.reflector.getAllAndOverride<boolean | undefined>(mark, targets) === true;
  }
}
