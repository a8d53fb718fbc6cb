import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from './doer.js';
import { may } from './principal.js';
import type { Action, Actor } from './principal.js';

/** What somebody tries, for the audit log. */
export interface Attempt {
  /** `organization.changed`, … */
  readonly action: string;
  /** `organization:<uuid>`, … */
  readonly subject: string;
  readonly doer: Doer<Actor>;
}

/** Holds attempts against the matrix of the product (`principal.ts`), and notes those that were refused. */
@Injectable()
export class Permissions {
  constructor(private readonly audit: AuditLog) {}

  /** @throws ProblemError `forbidden` */
  must(may_: Action, organizationId: number, attempt: Attempt): void {
    if (!may(attempt.doer.person, may_, organizationId)) this.refuse(attempt, organizationId);
  }

  /** What is the platform's own. @param organizationId whose audit log notes a refusal @throws ProblemError `forbidden` */
  mustBeSuperuser(attempt: Attempt, organizationId: number | null = null): void {
    if (!attempt.doer.person.superuser) this.refuse(attempt, organizationId);
  }

  private refuse({ action, subject, doer }: Attempt, organizationId: number | null): never {
    this.audit.refused({ ...lineOf(doer, action, subject, organizationId), reason: 'forbidden' });
    throw new ProblemError('forbidden', 'Your role does not allow it.', { noted: true });
  }
}
