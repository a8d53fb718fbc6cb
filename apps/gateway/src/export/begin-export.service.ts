import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.service.js';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from '../identity/doer.js';
import { ManageOrganizations } from '../identity/manage-organizations.service.js';
import { People } from '../identity/people.service.js';
import { Permissions } from '../identity/permissions.service.js';
import { StepUp } from '../login/step-up.service.js';
import type { ExportWish } from './export-data.service.js';

/** Who may have whose data: administrators their organization's, everybody her own, superusers all. Noted in the audit log. */
@Injectable()
export class BeginExport {
  constructor(
    private readonly organizations: ManageOrganizations,
    private readonly people: People,
    private readonly permissions: Permissions,
    private readonly stepUp: StepUp,
    private readonly audit: AuditLog,
  ) {}

  /** @throws ProblemError `not_found`, `forbidden`, `step_up_required` */
  async organization(uuid: string, doer: Doer): Promise<ExportWish> {
    const { id } = await this.organizations.one(doer, uuid);
    const subject = `organization:${uuid}`;
    this.permissions.must('administer', id, { action: 'organization.exported', subject, doer });
    this.stepUp.mustBeRecent(doer.person);
    this.audit.done(lineOf(doer, 'organization.exported', subject, id));
    return { kind: 'organization', uuid, who: { scope: { organization_ids: [id] }, person: null } };
  }

  /** @throws ProblemError `not_found`, `forbidden`, `step_up_required` */
  async person(uuid: string, doer: Doer): Promise<ExportWish> {
    const subject = `user:${uuid}`;
    if (uuid !== doer.person.uuid) this.permissions.mustBeSuperuser({ action: 'user.exported', subject, doer });
    this.stepUp.mustBeRecent(doer.person);
    const user = await this.people.byUuid(uuid);
    if (user === null) throw new ProblemError('not_found', 'There is no such account.');
    this.audit.done(lineOf(doer, 'user.exported', subject, null));
    const { id, email } = user;
    return {
      kind: 'person',
      uuid,
      who: { scope: { organization_ids: [] }, person: { user_id: id, user_uuid: uuid, email } },
    };
  }
}
