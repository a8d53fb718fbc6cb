import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { QUEUES } from '#libs/contracts';
import { MessagingModule } from '#libs/outbox';
import { systemClock } from '#libs/runtime';
import type { Logger, ServiceConfig } from '#libs/runtime';
import { RedisAdmission, RpcClient } from '#libs/streams';
import type { RedisConnection } from '#libs/streams';
import { ReadAdvisories } from './advisory/read-advisories.service.js';
import { AuditLineRepository } from './audit/audit-line.repository.js';
import { AuditLog } from './audit/audit-log.service.js';
import { AuditSealRepository } from './audit/audit-seal.repository.js';
import { ReadAuditLog } from './audit/read-audit-log.service.js';
import { AuditSealingKey, SealAuditLog } from './audit/seal-audit-log.service.js';
import { sealingKeyOfLog } from './audit/seal-chain.js';
import { EnrolSite } from './enrolment/enrol-site.service.js';
import { EnrolmentRepository } from './enrolment/enrolment.repository.js';
import { BeginErasure } from './erasure/begin-erasure.service.js';
import { DataErasedConsumer } from './erasure/data-erased.consumer.js';
import { ErasureChanges } from './erasure/erasure-changes.service.js';
import { ErasureRepository } from './erasure/erasure.repository.js';
import { ErasureRounds } from './erasure/erasure-rounds.service.js';
import { HearAnswers } from './erasure/hear-answers.service.js';
import { PurgeRemoved } from './erasure/purge-removed.service.js';
import { ReadErasures } from './erasure/read-erasures.service.js';
import { BeginExport } from './export/begin-export.service.js';
import { ExportData } from './export/export-data.service.js';
import { ExportPermission } from './export/export-permission.service.js';
import { ReadExposures } from './exposure/read-exposures.service.js';
import { GatewayReadiness } from './health/readiness.service.js';
import { AnswerInterceptor } from './http/answer.interceptor.js';
import { InputPipe } from './http/input.pipe.js';
import { NeedsIfMatchInterceptor } from './http/needs-if-match.interceptor.js';
import { NoQueryGuard } from './http/no-query.guard.js';
import { Bootstrap } from './identity/bootstrap.service.js';
import { IdentityChanges } from './identity/identity-changes.service.js';
import { IdentityErasure } from './identity/identity-erasure.service.js';
import { IdentityRepository } from './identity/identity.repository.js';
import { JoinOrganization } from './identity/join-organization.service.js';
import { ManageMembers } from './identity/manage-members.service.js';
import { ManageOrganizations } from './identity/manage-organizations.service.js';
import { ManageUsers } from './identity/manage-users.service.js';
import { MembershipRepository } from './identity/membership.repository.js';
import { OrganizationRepository } from './identity/organization.repository.js';
import { People } from './identity/people.service.js';
import { Permissions } from './identity/permissions.service.js';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.js';
import { IdempotentRequestRepository } from './idempotency/idempotent-request.repository.js';
import { AnswerPepper, IdempotentRequests } from './idempotency/idempotent-requests.service.js';
import { ManageOrganizationKeys } from './integration-key/manage-organization-keys.service.js';
import { OrganizationKeyRepository } from './integration-key/organization-key.repository.js';
import { OrganizationKeys } from './integration-key/organization-keys.service.js';
import { AcceptInvitation, NewMembers } from './invitation/accept-invitation.service.js';
import { InvitationRepository } from './invitation/invitation.repository.js';
import { ManageInvitations } from './invitation/manage-invitations.service.js';
import { AccountLetters } from './letter/account-letters.service.js';
import { AccessTokens } from './login/access-tokens.service.js';
import { Authenticator } from './login/authenticator.service.js';
import { ChangePassword, NewPasswords, PasswordChanges } from './login/change-password.service.js';
import { CheckPassword } from './login/check-password.service.js';
import { CountAttempts } from './login/count-attempts.service.js';
import { KeyStrategy } from './login/key.strategy.js';
import { KnownDevices } from './login/known-devices.service.js';
import { LogIn } from './login/log-in.service.js';
import { LoginAttemptsRepository } from './login/login-attempts.repository.js';
import { PasswordHasher } from './login/password-hasher.service.js';
import { PersonStrategy } from './login/person.strategy.js';
import { PrincipalGuard } from './login/principal.guard.js';
import { StepUp } from './login/step-up.service.js';
import { StillLoggedIn } from './login/still-logged-in.service.js';
import { WhoAsksRepository } from './login/who-asks.repository.js';
import { ManageMemberAccess } from './member-access/manage-member-access.service.js';
import { ManageModules } from './module/manage-modules.service.js';
import { OwnModuleChanges } from './module/own-module-changes.service.js';
import { OwnModuleRepository } from './module/own-module.repository.js';
import { ReadModules } from './module/read-modules.service.js';
import { AskReset } from './password-reset/ask-reset.service.js';
import { PasswordResetRepository } from './password-reset/password-reset.repository.js';
import { ResetParts, ResetPassword } from './password-reset/reset-password.service.js';
import { ManagePlans } from './plan/manage-plans.service.js';
import { PlanRepository } from './plan/plan.repository.js';
import { Plans } from './plan/plans.service.js';
import { SiteLimit } from './plan/site-limit.service.js';
import { AcceptedPushes } from './push/accepted-pushes.repository.js';
import { PushState } from './push/push-state.service.js';
import { HoldSite } from './quarantine/hold-site.service.js';
import { QuarantineChanges } from './quarantine/quarantine-changes.service.js';
import { QuarantineRepository } from './quarantine/quarantine.repository.js';
import { WatchIdentity } from './quarantine/watch-identity.service.js';
import { Questions } from './question/questions.service.js';
import { ApiRates } from './rate-limit/api-rates.service.js';
import { Challenges } from './second-factor/challenges.service.js';
import { ManageSecondFactor } from './second-factor/manage-second-factor.service.js';
import { sealingKey } from './second-factor/seal.js';
import { SecondFactorRepository } from './second-factor/second-factor.repository.js';
import { FactorChecks, SealingKey, SecondFactors } from './second-factor/second-factors.service.js';
import { RefreshTokens } from './session/refresh-tokens.service.js';
import { SessionNotices } from './session/session-notices.service.js';
import { SessionRepository } from './session/session.repository.js';
import { SessionTokens } from './session/session-tokens.service.js';
import { Sessions } from './session/sessions.service.js';
import type { GatewaySettings } from './settings.js';
import { ChangeSite } from './site/change-site.service.js';
import { FindSite } from './site/find-site.service.js';
import { ManageSites, SiteChanges } from './site/manage-sites.service.js';
import { ReadSites } from './site/read-sites.service.js';
import { RegisterSite } from './site/register-site.service.js';
import { RestoreSites } from './site/restore-sites.service.js';
import { SiteCascade } from './site/site-cascade.service.js';
import { SiteRepository } from './site/site.repository.js';
import { ShareSite, SiteShareChanges } from './site-share/share-site.service.js';
import { SiteShareRepository } from './site-share/site-share.repository.js';
import { IssueKey } from './site-key/issue-key.service.js';
import { KeyChanges } from './site-key/key-changes.service.js';
import { SiteKeyDirectory } from './site-key/site-key-directory.service.js';
import { SiteKeyRepository } from './site-key/site-key.repository.js';
import { SystemProgress } from './system/progress.service.js';
import { TenancyGuard } from './tenancy/tenancy.guard.js';
import { CONTROLLERS } from './routes.js';
import { CACHE, CLOCK, LOGGER, SETTINGS, STREAMS } from './tokens.js';

/** What the gateway is connected to; `start.ts` makes and closes it. */
export interface GatewayParts {
  readonly config: ServiceConfig;
  readonly settings: GatewaySettings;
  readonly logger: Logger;
  readonly dataSource: DataSource;
  readonly cache: RedisConnection;
  readonly streams: RedisConnection;
  readonly rpc: RpcClient;
}

/** All features of the gateway. The push route is not among them: `start.ts` registers it beside Nest. */
@Module({})
export class GatewayModule {
  static with({ config, settings, logger, dataSource, cache, streams, rpc }: GatewayParts): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        ScheduleModule.forRoot(),
        MessagingModule.forService({
          service: 'gateway',
          config,
          dataSource,
          log: logger,
          admission: (connection, observer) =>
            new RedisAdmission({
              connection,
              observer,
              queues: [{ name: QUEUES.ingestPushes.name, partitions: config.partitions }],
            }),
        }),
      ],
      controllers: [...CONTROLLERS],
      providers: [
        { provide: DataSource, useValue: dataSource },
        { provide: RpcClient, useValue: rpc },
        { provide: CACHE, useValue: cache },
        { provide: STREAMS, useValue: streams },
        { provide: CLOCK, useValue: systemClock },
        { provide: LOGGER, useValue: logger },
        { provide: SETTINGS, useValue: settings },
        {
          provide: AccessTokens,
          useFactory: () => new AccessTokens(config.secrets.jwtSecret, config.secrets.previousJwtSecret),
        },
        {
          provide: KnownDevices,
          useFactory: () => new KnownDevices(config.secrets.jwtSecret, config.secrets.previousJwtSecret),
        },
        {
          provide: RefreshTokens,
          useFactory: () => new RefreshTokens(config.secrets.jwtSecret, config.secrets.previousJwtSecret),
        },
        { provide: SealingKey, useFactory: () => new SealingKey(sealingKey(config.secrets.pepper)) },
        { provide: AuditSealingKey, useFactory: () => new AuditSealingKey(sealingKeyOfLog(config.secrets.pepper)) },
        { provide: PasswordHasher, useFactory: () => new PasswordHasher(config.secrets.pepper, settings.passwordCost) },
        { provide: AcceptedPushes, useFactory: () => new AcceptedPushes(cache) },
        { provide: APP_GUARD, useClass: NoQueryGuard },
        { provide: APP_GUARD, useClass: PrincipalGuard },
        { provide: APP_GUARD, useClass: TenancyGuard },
        { provide: APP_PIPE, useClass: InputPipe },
        { provide: AnswerPepper, useFactory: () => new AnswerPepper(config.secrets.pepper) },
        // The outermost first: it keeps what the others make.
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_INTERCEPTOR, useClass: AnswerInterceptor },
        { provide: APP_INTERCEPTOR, useClass: NeedsIfMatchInterceptor },
        AcceptInvitation,
        AccountLetters,
        ApiRates,
        AskReset,
        AuditLineRepository,
        AuditLog,
        AuditSealRepository,
        Authenticator,
        Bootstrap,
        Challenges,
        ChangePassword,
        ChangeSite,
        CheckPassword,
        CountAttempts,
        EnrolSite,
        EnrolmentRepository,
        FactorChecks,
        FindSite,
        GatewayReadiness,
        IdempotentRequestRepository,
        IdempotentRequests,
        IdentityChanges,
        IdentityRepository,
        InvitationRepository,
        IssueKey,
        JoinOrganization,
        KeyChanges,
        KeyStrategy,
        LogIn,
        LoginAttemptsRepository,
        ManageInvitations,
        ManageMemberAccess,
        ManageMembers,
        ManageModules,
        ManageOrganizationKeys,
        ManageOrganizations,
        ManagePlans,
        ManageSecondFactor,
        ManageSites,
        ManageUsers,
        MembershipRepository,
        OrganizationKeyRepository,
        OrganizationKeys,
        OrganizationRepository,
        OwnModuleChanges,
        OwnModuleRepository,
        NewMembers,
        NewPasswords,
        PasswordChanges,
        PasswordResetRepository,
        People,
        Permissions,
        PersonStrategy,
        PlanRepository,
        Plans,
        PushState,
        HoldSite,
        QuarantineChanges,
        QuarantineRepository,
        WatchIdentity,
        Questions,
        ReadAdvisories,
        ReadAuditLog,
        ReadExposures,
        ReadModules,
        ReadSites,
        RegisterSite,
        ResetParts,
        ResetPassword,
        SealAuditLog,
        SecondFactorRepository,
        SecondFactors,
        SessionNotices,
        SessionRepository,
        SessionTokens,
        Sessions,
        SiteCascade,
        SiteChanges,
        SiteKeyDirectory,
        SiteKeyRepository,
        SiteLimit,
        SiteRepository,
        BeginErasure,
        BeginExport,
        ExportData,
        ExportPermission,
        DataErasedConsumer,
        ErasureChanges,
        ErasureRepository,
        ErasureRounds,
        PurgeRemoved,
        HearAnswers,
        IdentityErasure,
        ReadErasures,
        RestoreSites,
        ShareSite,
        SiteShareChanges,
        SiteShareRepository,
        StepUp,
        StillLoggedIn,
        SystemProgress,
        WhoAsksRepository,
      ],
    };
  }
}
