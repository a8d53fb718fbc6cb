import { IdentityAndSites1760000000001 } from './1760000000001-identity-and-sites.js';
import { OwnModules1763800000000 } from './1763800000000-own-modules.js';
import { Sessions1763900000000 } from './1763900000000-sessions.js';
import { SecondFactors1763900000001 } from './1763900000001-second-factors.js';
import { OrganizationRevisions1763900000002 } from './1763900000002-organization-revisions.js';
import { InvitationsAndResets1763900000003 } from './1763900000003-invitations-and-resets.js';
import { IntegrationKeys1764211000001 } from './1764211000001-integration-keys.js';
import { AuditSeals1764211000002 } from './1764211000002-audit-seals.js';
import { IdempotencyKeys1764211000003 } from './1764211000003-idempotency-keys.js';
import { RequiredSecondFactor1764211000004 } from './1764211000004-required-second-factor.js';
import { SiteOrganizations1764300000001 } from './1764300000001-site-organizations.js';
import { Erasures1764300000002 } from './1764300000002-erasures.js';
import { SiteQuarantine1764400000001 } from './1764400000001-site-quarantine.js';
import { Plans1764500000001 } from './1764500000001-plans.js';
import { MemberRevisions1764500000002 } from './1764500000002-member-revisions.js';

/** The migrations of the schema `gateway`, oldest first. */
export const migrations = [
  IdentityAndSites1760000000001,
  OwnModules1763800000000,
  Sessions1763900000000,
  SecondFactors1763900000001,
  OrganizationRevisions1763900000002,
  InvitationsAndResets1763900000003,
  IntegrationKeys1764211000001,
  AuditSeals1764211000002,
  IdempotencyKeys1764211000003,
  RequiredSecondFactor1764211000004,
  SiteOrganizations1764300000001,
  Erasures1764300000002,
  SiteQuarantine1764400000001,
  Plans1764500000001,
  MemberRevisions1764500000002,
];
