import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OUTBOX, UNIT_OF_WORK } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import type { Clock } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { CLOCK } from '../tokens.js';
import { lineOf, type Doer } from './doer.js';
import { memberFact, organizationFact } from './identity-events.js';
import type { Organization } from './organization.entity.js';
import type { User } from './user.entity.js';

/** Where changes of organizations and people are written, and how they get told: in one transaction, to the other services and to the audit log. */
@Injectable()
export class IdentityChanges {
  constructor(
    @Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    private readonly audit: AuditLog,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  async tellOrganization(
    tx: EntityManager,
    action: string,
    organization: Organization,
    doer: Doer,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.outbox.add(tx, [{ ...organizationFact(organization), correlationId: doer.requestId }]);
    await this.audit.record(tx, {
      ...lineOf(doer, action, `organization:${organization.uuid}`, organization.id),
      detail: { name: organization.name, ...detail },
    });
  }

  /** @param organizationIds all that she belongs to now */
  async tellMember(tx: EntityManager, user: User, organizationIds: readonly number[], doer: Doer): Promise<void> {
    await this.outbox.add(tx, [{ ...memberFact(user, organizationIds), correlationId: doer.requestId }]);
  }

  async note(
    tx: EntityManager,
    line: ReturnType<typeof lineOf>,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.audit.record(tx, { ...line, detail });
  }
}
