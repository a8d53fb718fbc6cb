import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { nowActsFor, type TenancyScope } from '#libs/database';
import { scopeOf, type Principal } from '../identity/principal.js';

/**
 * After the guard that says who asks: from here on the request's statements run for her, and row-level security shows them nothing else. Routes for
 * everybody go on running for nobody.
 */
@Injectable()
export class TenancyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { principal } = context.switchToHttp().getRequest<{ principal?: Principal }>();
    if (principal !== undefined) nowActsFor(tenancyOf(principal));
    return true;
  }
}

/** Keys of all kinds but people's are of one organization, however little of it they may read. */
function tenancyOf(principal: Principal): TenancyScope {
  return 'organizationId' in principal ? { organization_ids: [principal.organizationId] } : scopeOf(principal);
}
