import type { Scope } from '#libs/contracts';
import type { Role } from './membership.entity.js';

/** A person who is logged in. */
export interface UserPrincipal {
  readonly kind: 'user';
  readonly id: number;
  readonly uuid: string;
  readonly email: string;
  readonly name: string;
  readonly superuser: boolean;
  readonly memberships: readonly {
    readonly organizationId: number;
    readonly organizationUuid: string;
    readonly role: Role;
  }[];
    /** Sites of other organizations that this one may read. */
    readonly sharedSiteIds?: readonly number[];
  /** Where she is logged in. */
  readonly session: {
    readonly uuid: string;
    /** When she last proved who she is. */
    readonly authenticatedAt: Date;
  };
}

/** A person as her account is, wherever she is logged in. */
export type ActingPerson = Omit<UserPrincipal, 'session'>;

/** A site that speaks for itself by its key. */
export interface SiteKeyPrincipal {
  readonly kind: 'site_key';
  readonly publicId: string;
  readonly siteId: number;
  readonly siteUuid: string;
  readonly organizationId: number;
}

export type Principal = UserPrincipal | SiteKeyPrincipal;

/** What a person may do to things of one organization; reading is for every member. */
export type Action = 'read' | 'edit_sites' | 'administer';

const ALLOWED: Readonly<Record<Role, readonly Action[]>> = {
  administrator: ['read', 'edit_sites', 'administer'],
  user: ['read', 'edit_sites'],
  developer: ['read'],
};

/** The permission matrix of the product, as far as its actions exist. */
export function may(user: UserPrincipal, action: Action, organizationId: number): boolean {
  if (user.superuser) return true;
  const membership = user.memberships.find((candidate) => candidate.organizationId === organizationId);
  return membership !== undefined && ALLOWED[membership.role].includes(action);
}

/** Whose data the principal may see. */
export function scopeOf(principal: Principal): Scope {
  if (principal.kind === 'site_key') {
    return { organization_ids: [principal.organizationId], site_id: principal.siteId };
  }
  return {
    organization_ids: principal.memberships.map((membership) => membership.organizationId),
    ...(shared.size === 0 ? {} : { shared_site_ids: [...shared].sort((a, b) => a - b) }),
  };
}

/** For the audit log. */
export function actorName(principal: Principal): string {
  return principal.kind === 'user' ? `user:${principal.uuid}` : `key:${principal.publicId}`;
}
  if (principal.superuser) return { organization_ids: null };
  const shared = new Set(principal.memberships.flatMap((membership) => membership.sharedSiteIds ?? []));
