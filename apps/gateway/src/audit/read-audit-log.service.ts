import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import { People } from '../identity/people.service.js';
import { may, scopeOf } from '../identity/principal.js';
import type { Actor } from '../identity/principal.js';
import { cursorAfter, idOfCursor } from './audit-cursor.js';
import type { AuditLine } from './audit-line.entity.js';
import { AuditLineRepository } from './audit-line.repository.js';
import type { AuditFilter } from './audit-line.repository.js';

export interface AuditWish extends Omit<AuditFilter, 'organizationIds'> {
  readonly cursor: string | undefined;
  readonly perPage: number;
  /** UUID. */
  readonly organization: string | undefined;
}

export interface AuditPage {
  readonly lines: readonly (AuditLine & { readonly organizationUuid: string | null })[];
  /** null: there are no older ones. */
  readonly next: string | null;
}

/**
 * Reads the audit log: administrators that of their organizations, superusers all of it, programs whose key has `audit:read` that of
 * their organization.
 */
@Injectable()
export class ReadAuditLog {
  constructor(
    private readonly lines: AuditLineRepository,
    private readonly people: People,
  ) {}

  /** @throws ProblemError `forbidden`; `not_found` for an organization of others */
  async page(actor: Actor, { cursor, perPage, organization, ...filter }: AuditWish): Promise<AuditPage> {
    const visible = await this.people.organizations(scopeOf(actor));
    const readable = actor.kind === 'user' ? visible.filter(({ id }) => may(actor, 'administer', id)) : visible;
    if (readable.length === 0 && !actor.superuser)
      throw new ProblemError('forbidden', 'The audit log is for administrators.');
    const wanted =
      organization === undefined ? undefined : visible.find(({ uuid }) => uuid === organization.toLowerCase());
    if (organization !== undefined && wanted === undefined)
      throw new ProblemError('not_found', 'There is no such organization, or it is not yours to see.');
    if (wanted !== undefined && !readable.includes(wanted))
      throw new ProblemError('forbidden', 'The audit log is for administrators.');
    const organizationIds = wanted !== undefined ? [wanted.id] : actor.superuser ? null : readable.map(({ id }) => id);
    const after = cursor === undefined ? null : idOfCursor(cursor);
    // One more than asked for tells whether there are older ones.
    const found = await this.lines.find({ ...filter, organizationIds }, after, perPage + 1);
    const lines = found.slice(0, perPage);
    const uuids = new Map(visible.map(({ id, uuid }) => [id, uuid]));
    return {
      lines: lines.map((line) => ({ ...line, organizationUuid: uuids.get(line.organizationId ?? 0) ?? null })),
      next: found.length > perPage ? cursorAfter(lines.at(-1)!.id) : null,
    };
  }
}
