import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import { actorName } from '../identity/principal.js';
import { PUBLIC_ROUTE, SITE_KEY_ROUTE } from './asker.decorator.js';
import type { AuthenticatedRequest } from './asker.decorator.js';
import { Authenticator } from './authenticator.service.js';

/** On every route: who is it, and is the route for her? A new route is closed until it says otherwise. */
@Injectable()
export class PrincipalGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly audit: AuditLog,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC_ROUTE, targets)) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const principal = await this.authenticator.authenticate(
      request,
      context.switchToHttp().getResponse<FastifyReply>(),
    );
    if (principal.kind === 'site_key' && !this.reflector.getAllAndOverride<boolean>(SITE_KEY_ROUTE, targets)) {
      this.audit.refused({
        action: 'request.refused',
        reason: 'forbidden',
        actor: actorName(principal),
        organizationId: principal.organizationId,
        address: request.ip,
        requestId: request.id,
        detail: { route: request.routeOptions.url ?? '' },
      });
      throw new ProblemError('forbidden', 'A site key may push, and ask for the state of its pushes; nothing else.');
    }
    request.principal = principal;
    return true;
  }
}
