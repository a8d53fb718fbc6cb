import { Injectable } from '@nestjs/common';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from '../identity/doer.js';
import { IdentityChanges } from '../identity/identity-changes.service.js';
import { ManageOrganizations } from '../identity/manage-organizations.service.js';
import { People } from '../identity/people.service.js';
import { Permissions } from '../identity/permissions.service.js';
import { StepUp } from '../login/step-up.service.js';
import type { ExportWish } from './export-permission.service.js';

/** Who may have whose data: administrators their organization's, everybody her own, superusers all. The audit log has it before anybody has the first line. */
@Injectable()
export class BeginExport {
  constructor(
    private readonly organizations: ManageOrganizations,
    private readonly people: People,
    private readonly permissions: Permissions,
    private readonly stepUp: StepUp,
    private readonly changes: IdentityChanges,
  ) {}

  /** @throws ProblemError `not_found`, `forbidden`, `step_up_required` */
  async organization(uuid: string, doer: Doer): Promise<ExportWish> {
    const { id } = await this.organizations.one(doer, uuid);
    const subject = `organization:${uuid}`;
    this.permissions.must('administer', id, { action: 'organization.exported', subject, doer });
    this.stepUp.mustBeRecent(doer.person);
    await this.note(lineOf(doer, 'organization.exported', subject, id));
    return { kind: 'organization', uuid, who: { scope: { organization_ids: [id] }, person: null }, doer };
  }

  /** @throws ProblemError `not_found`, `forbidden`, `step_up_required` */
  async person(uuid: string, doer: Doer): Promise<ExportWish> {
    const subject = `user:${uuid}`;
    if (uuid !== doer.person.uuid) this.permissions.mustBeSuperuser({ action: 'user.exported', subject, doer });
    this.stepUp.mustBeRecent(doer.person);
    const user = await this.people.byUuid(uuid);
    if (user === null) throw new ProblemError('not_found', 'There is no such account.');
    await this.note(lineOf(doer, 'user.exported', subject, null));
    const { id, email } = user;
    return {
      kind: 'person',
      uuid,
      who: { scope: { organization_ids: [] }, person: { user_id: id, user_uuid: uuid, email } },
      doer,
    };
  }

  private note(line: ReturnType<typeof lineOf>): Promise<void> {
    return this.changes.unitOfWork.run((tx) => this.changes.note(tx, line, {}));
  }
}
