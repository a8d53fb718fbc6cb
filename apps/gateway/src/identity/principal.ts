import type { Scope } from '#libs/contracts';
import type { KeyScope } from '../integration-key/key-scopes.js';
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
    /** Sites of other organizations that this one may read. */
    readonly sharedSiteIds?: readonly number[];
  }[];
  /** An organization of hers asks for a second factor, and she has none: she may turn one on, and nothing else (S30). */
  readonly owesSecondFactor: boolean;
  /** Of her account. */
  readonly revision: number;
  /** By the best of her organizations' plans. */
  readonly requestsPerMinute: number;
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
  /** Beside its pushes, by its organization's plan. */
  readonly requestsPerMinute: number;
}

/** A program that asks by an integration key of one organization. It has what its scopes say, and never more than a `user` of that organization. */
export interface IntegrationKeyPrincipal {
  readonly kind: 'integration_key';
  readonly publicId: string;
  readonly scopes: readonly KeyScope[];
  /** The person who made the key. */
  readonly id: number | null;
  readonly superuser: false;
  /** Always one. */
  readonly memberships: UserPrincipal['memberships'];
  /** By its organization's plan. */
  readonly requestsPerMinute: number;
}

/** An agent that may register sites with an organization, and nothing else. */
export interface EnrolmentKeyPrincipal {
  readonly kind: 'enrolment_key';
  readonly publicId: string;
  readonly keyId: number;
  readonly organizationId: number;
  readonly organizationUuid: string;
  /** The person who made the key. */
  readonly createdBy: number | null;
  /** By its organization's plan. */
  readonly requestsPerMinute: number;
}

/** Who can read and change what belongs to organizations. */
export type Actor = UserPrincipal | IntegrationKeyPrincipal;

export type Principal = Actor | SiteKeyPrincipal | EnrolmentKeyPrincipal;

/** What a person may do to things of one organization; reading is for every member. */
export type Action = 'read' | 'edit_sites' | 'administer';

const ALLOWED: Readonly<Record<Role, readonly Action[]>> = {
  administrator: ['read', 'edit_sites', 'administer'],
  user: ['read', 'edit_sites'],
  developer: ['read'],
};

/** The permission matrix of the product, as far as its actions exist. Which routes a key's scopes open, the guard has decided before. */
export function may(actor: Actor, action: Action, organizationId: number): boolean {
  if (actor.superuser) return true;
  const membership = actor.memberships.find((candidate) => candidate.organizationId === organizationId);
  return membership !== undefined && ALLOWED[membership.role].includes(action);
}

/** Whose data the principal may see. */
export function scopeOf(principal: Principal): Scope {
  if (principal.kind === 'site_key') {
    return { organization_ids: [principal.organizationId], site_id: principal.siteId };
  }
  if (principal.kind === 'enrolment_key') return { organization_ids: [] };
  if (principal.superuser) return { organization_ids: null };
  const shared = new Set(principal.memberships.flatMap((membership) => membership.sharedSiteIds ?? []));
  return {
    organization_ids: principal.memberships.map((membership) => membership.organizationId),
    ...(shared.size === 0 ? {} : { shared_site_ids: [...shared].sort((a, b) => a - b) }),
  };
}

/** For the audit log. */
export function actorName(principal: Principal): string {
  return principal.kind === 'user' ? `user:${principal.uuid}` : `key:${principal.publicId}`;
}
