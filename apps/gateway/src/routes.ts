import { AdvisoryController } from './advisory/advisory.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { DashboardController } from './dashboard/dashboard.controller.js';
import { EnrolmentKeyController } from './enrolment/enrolment-key.controller.js';
import { EnrolmentController } from './enrolment/enrolment.controller.js';
import { ErasureController } from './erasure/erasure.controller.js';
import { ExportController } from './export/export.controller.js';
import { ExposureController } from './exposure/exposure.controller.js';
import { HealthController } from './health/health.controller.js';
import { MemberController } from './identity/member.controller.js';
import { OrganizationController } from './identity/organization.controller.js';
import { UserController } from './identity/user.controller.js';
import { IntegrationKeyController } from './integration-key/integration-key.controller.js';
import { InvitationController } from './invitation/invitation.controller.js';
import { LoginController } from './login/login.controller.js';
import { MemberAccessController } from './member-access/member-access.controller.js';
import { ModuleController } from './module/module.controller.js';
import { PasswordResetController } from './password-reset/password-reset.controller.js';
import { PlanController } from './plan/plan.controller.js';
import { PushStateController } from './push/push-state.controller.js';
import { SecondFactorController } from './second-factor/second-factor.controller.js';
import { SessionController } from './session/session.controller.js';
import { QuarantineController } from './quarantine/quarantine.controller.js';
import { RestoreSiteController } from './site/restore-site.controller.js';
import { SiteChangeController } from './site/site-change.controller.js';
import { SiteController } from './site/site.controller.js';
import { SiteShareController } from './site-share/site-share.controller.js';
import { SystemController } from './system/system.controller.js';

/** All of Nest's routes, in the order of the API's description. The push route is registered beside Nest. */
export const CONTROLLERS = [
  HealthController,
  LoginController,
  SessionController,
  SecondFactorController,
  OrganizationController,
  MemberController,
  MemberAccessController,
  UserController,
  InvitationController,
  PasswordResetController,
  IntegrationKeyController,
  EnrolmentKeyController,
  EnrolmentController,
  PlanController,
  SiteController,
  SiteChangeController,
  QuarantineController,
  SiteShareController,
  RestoreSiteController,
  ErasureController,
  ExportController,
  PushStateController,
  ModuleController,
  AdvisoryController,
  ExposureController,
  DashboardController,
  SystemController,
  AuditController,
] as const;
