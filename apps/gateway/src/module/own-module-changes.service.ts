import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OUTBOX, UNIT_OF_WORK } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import type { Clock } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import type { AuditEntry } from '../audit/audit-log.service.js';
import type { ProblemError } from '../http/problem.js';
import { actorName } from '../identity/principal.js';
import type { Actor } from '../identity/principal.js';
import { CLOCK } from '../tokens.js';
import { ownModuleFact } from './own-module-events.js';
import type { OwnModule } from './own-module.entity.js';

/** Who does it, and by which request. */
export interface Doer {
  readonly person: Actor;
  readonly requestId: string;
  readonly address: string;
  /** `If-Match` of the request. */
  readonly ifMatch?: string | undefined;
}

/** What is done to which module of whom. */
export interface Deed {
  readonly action: 'module.created' | 'module.changed' | 'module.removed';
  readonly module: string;
  readonly organizationId: number | null;
  readonly doer: Doer;
}

/** Where changes of own modules are written, and how they get told: in one transaction, to the catalog and to the audit log. */
@Injectable()
export class OwnModuleChanges {
  constructor(
    @Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  async tell(
    tx: EntityManager,
    deed: Deed,
    own: OwnModule,
    organizationUuid: string,
    changed: readonly string[],
  ): Promise<void> {
    await this.outbox.add(tx, [ownModuleFact(own, organizationUuid, deed.doer.requestId)]);
    await this.audit.record(tx, {
      ...lineOf(deed),
      detail: { title: own.title, revision: own.revision, releases: own.releases.length, changed },
    });
  }

  /** Notes a refusal and gives it back to be thrown. */
  refused(deed: Deed, problem: ProblemError): ProblemError {
    this.audit.refused({ ...lineOf(deed), reason: problem.code });
    problem.noted = true;
    return problem;
  }
}

function lineOf({ action, module, organizationId, doer }: Deed): AuditEntry {
  return {
    action,
    actor: actorName(doer.person),
    subject: `module:${module}`,
    organizationId,
    address: doer.address,
    requestId: doer.requestId,
  };
}
