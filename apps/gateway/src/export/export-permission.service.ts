import { Injectable } from '@nestjs/common';
import type { ExportInput } from '#libs/contracts';
import type { Doer } from '../identity/doer.js';
import { Permissions } from '../identity/permissions.service.js';
import { StillLoggedIn } from '../login/still-logged-in.service.js';

/** Whose data are handed out, and to whom. */
export interface ExportWish {
  readonly kind: 'organization' | 'person';
  readonly uuid: string;
  readonly who: Pick<ExportInput, 'scope' | 'person'>;
  readonly doer: Doer;
}

/** Whether who began an export may have the rest of it. A large one takes long: what ended meanwhile has ended for it, too. */
@Injectable()
export class ExportPermission {
  constructor(
    private readonly logIns: StillLoggedIn,
    private readonly permissions: Permissions,
  ) {}

  /** Account, session and role as they are now. A refusal is noted in the audit log. @throws ProblemError `invalid_token`, `forbidden` */
  async mustStillHold({ kind, uuid, who, doer }: ExportWish): Promise<void> {
    const now = { ...doer, person: await this.logIns.person(doer.person) };
    if (kind === 'organization') {
      const attempt = { action: 'organization.exported', subject: `organization:${uuid}`, doer: now };
      this.permissions.must('administer', who.scope.organization_ids![0]!, attempt);
    } else if (uuid !== now.person.uuid) {
      this.permissions.mustBeSuperuser({ action: 'user.exported', subject: `user:${uuid}`, doer: now });
    }
  }
}
