import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { ProblemError } from '../http/problem.js';
import type { Principal } from '../identity/principal.js';
import type { KeyScope } from '../integration-key/key-scopes.js';
import { ApiRates } from '../rate-limit/api-rates.service.js';
import type { TakenRate } from '../rate-limit/api-rates.service.js';
import {
  ENROLMENT_KEY_ROUTE,
  KEY_SCOPE,
  OPEN_WITHOUT_FACTOR,
  PUBLIC_ROUTE,
  SITE_KEY_ROUTE,
} from './asker.decorator.js';
import type { AuthenticatedRequest } from './asker.decorator.js';
import { Authenticator } from './authenticator.service.js';

type Targets = Parameters<Reflector['getAllAndOverride']>[1];

/**
 * On every route: who is it, may she ask so often, and is the route for her? A new route is closed to everybody but people until it says otherwise. What it
 * refuses, the problem filter notes.
 */
@Injectable()
export class PrincipalGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly rates: ApiRates,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    if (this.is(PUBLIC_ROUTE, targets)) {
      mayGoOn(this.rates.ofStranger(request.ip), reply);
      return true;
    }
    const principal = await this.authenticated(request, reply);
    // Before anything is refused: the audit line names who it was.
    request.principal = principal;
    mayGoOn(this.rates.ofPrincipal(principal), reply);
    this.mustBeFor(principal, targets);
    return true;
  }

  private async authenticated(request: AuthenticatedRequest, reply: FastifyReply): Promise<Principal> {
    try {
      return await this.authenticator.authenticate(request, reply);
    } catch (error) {
      // Only what is refused anyway is counted by its network: whoever shares it and is known goes on.
      if (error instanceof ProblemError && error.status === 401) mayGoOn(this.rates.ofStranger(request.ip), reply);
      throw error;
    }
  }

  /** @throws ProblemError `forbidden`, `insufficient_scope`, `second_factor_required` */
  private mustBeFor(principal: Principal, targets: Targets): void {
    switch (principal.kind) {
      case 'user':
        if (this.is(ENROLMENT_KEY_ROUTE, targets))
          throw new ProblemError('forbidden', 'This is for agents with an enrolment key. People: POST /api/v1/sites.');
        if (principal.owesSecondFactor && !this.is(OPEN_WITHOUT_FACTOR, targets))
          throw new ProblemError(
            'second_factor_required',
            'An organization of yours asks for a second factor: POST /api/v1/auth/two-factor.',
          );
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

/** @throws ProblemError `rate_limited` */
function mayGoOn({ waitMs, headers }: TakenRate, reply: FastifyReply): void {
  void reply.headers(headers);
  if (waitMs > 0)
    throw new ProblemError('rate_limited', 'More requests came than may come in this time.', {
      retryAfterSeconds: waitMs / 1000,
    });
}
