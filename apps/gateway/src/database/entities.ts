import { AuditLine } from '../audit/audit-line.entity.js';
import { AuditSeal, UnsealedLine } from '../audit/audit-seal.entity.js';
import { Enrolment } from '../enrolment/enrolment.entity.js';
import { Erasure } from '../erasure/erasure.entity.js';
import { Membership } from '../identity/membership.entity.js';
import { OrganizationRevision } from '../identity/organization-revision.entity.js';
import { Organization } from '../identity/organization.entity.js';
import { User } from '../identity/user.entity.js';
import { IdempotentRequest } from '../idempotency/idempotent-request.entity.js';
import { Invitation } from '../invitation/invitation.entity.js';
import { OwnModule } from '../module/own-module.entity.js';
import { Plan } from '../plan/plan.entity.js';
import { PasswordReset } from '../password-reset/password-reset.entity.js';
import { BackupCode } from '../second-factor/backup-code.entity.js';
import { SecondFactor } from '../second-factor/second-factor.entity.js';
import { Session } from '../session/session.entity.js';
import { ApiKey } from '../site-key/api-key.entity.js';
import { SiteShare } from '../site-share/site-share.entity.js';
import { Site } from '../site/site.entity.js';

/** Every entity of the schema `gateway`. */
export const entities = [
  Plan,
  Organization,
  OrganizationRevision,
  User,
  Membership,
  Site,
  SiteShare,
  Erasure,
  ApiKey,
  Enrolment,
  OwnModule,
  Session,
  SecondFactor,
  BackupCode,
  Invitation,
  PasswordReset,
  AuditLine,
  AuditSeal,
  UnsealedLine,
  IdempotentRequest,
];
