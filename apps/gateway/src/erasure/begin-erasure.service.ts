import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ErasureSubject } from '#libs/contracts';
import { ProblemError } from '../http/problem.js';
import type { Doer } from '../identity/doer.js';
import { IdentityErasure } from '../identity/identity-erasure.service.js';
import { Permissions } from '../identity/permissions.service.js';
import { actorName, scopeOf } from '../identity/principal.js';
import { StepUp } from '../login/step-up.service.js';
import type { Erasure } from './erasure.entity.js';
import { ErasureChanges } from './erasure-changes.service.js';
import { ErasureRepository } from './erasure.repository.js';

const NOBODY: ErasureSubject = {
  kind: 'person',
  organization_id: null,
  site_ids: [],
  user_id: null,
  user_uuid: null,
  email: null,
};

/**
 * Begins to erase an organization or a person, for good. Superusers alone erase organizations, and only after removing them, which dismisses keys
 * and shows what is lost while it can still be restored. Everybody may erase herself.
 */
@Injectable()
export class BeginErasure {
  constructor(
    private readonly erasures: ErasureRepository,
    private readonly identity: IdentityErasure,
    private readonly permissions: Permissions,
    private readonly stepUp: StepUp,
    private readonly changes: ErasureChanges,
  ) {}

  /** @throws ProblemError `forbidden`, `not_found`, `validation_failed` while it is not removed, `step_up_required` */
  organization(uuid: string, doer: Doer): Promise<Erasure> {
    this.permissions.mustBeSuperuser({ action: 'erasure.begun', subject: `organization:${uuid}`, doer });
    this.stepUp.mustBeRecent(doer.person);
    return this.changes.unitOfWork.run(async (tx) => {
      const organization = await this.identity.removedOrganization(tx, scopeOf(doer.person), uuid);
      await this.mustNotRun(tx, uuid);
      return this.ofOrganization(tx, organization, doer);
    });
  }

  /** @throws ProblemError `forbidden`, `not_found`, `last_administrator`, `step_up_required` */
  person(uuid: string, doer: Doer): Promise<Erasure> {
    if (uuid !== doer.person.uuid)
      this.permissions.mustBeSuperuser({ action: 'erasure.begun', subject: `user:${uuid}`, doer });
    this.stepUp.mustBeRecent(doer.person);
    return this.changes.unitOfWork.run(async (tx) => {
      await this.erasures.lockAdministeredBy(tx, uuid);
      const { id, email } = await this.identity.dispensablePerson(tx, uuid);
      await this.mustNotRun(tx, uuid);
      const only = await this.erasures.onlyAdministratorOf(tx, id);
      if (only.length > 0)
        throw new ProblemError('last_administrator', `Make somebody else administrator of ${only[0]!} first.`);
      const subject: ErasureSubject = { ...NOBODY, user_id: id, user_uuid: uuid, email };
      return this.changes.begin(
        tx,
        { subject, subjectUuids: [uuid], cause: 'request', requestedBy: doer.person.uuid },
        wishOf(doer),
      );
    });
  }

  /** Of an organization whose row is locked. @param doer null: its time is over */
  async ofOrganization(
    tx: EntityManager,
    { id, uuid }: { readonly id: number; readonly uuid: string },
    doer: Doer | null,
  ): Promise<Erasure> {
    const subject: ErasureSubject = {
      ...NOBODY,
      kind: 'organization',
      organization_id: id,
      site_ids: await this.erasures.sitesOf(tx, id),
    };
    const members = await this.erasures.members(tx, id);
    const erasure = await this.changes.begin(
      tx,
      {
        subject,
        subjectUuids: [uuid],
        cause: doer === null ? 'retention' : 'request',
        requestedBy: doer?.person.uuid ?? null,
      },
      wishOf(doer),
    );
    await this.identity.tellMembers(tx, members);
    return erasure;
  }

  /** Of sites whose time is over, and whose rows are locked. */
  ofSites(tx: EntityManager, sites: readonly { readonly id: number; readonly uuid: string }[]): Promise<Erasure> {
    return this.changes.begin(
      tx,
      {
        subject: {
          ...NOBODY,
          kind: 'sites',
          site_ids: sites.map(({ id }) => id),
          site_uuids: sites.map(({ uuid }) => uuid),
        },
        subjectUuids: sites.map(({ uuid }) => uuid),
        cause: 'retention',
        requestedBy: null,
      },
      wishOf(null),
    );
  }

  private async mustNotRun(tx: EntityManager, uuid: string): Promise<void> {
    if ((await this.erasures.running(tx, [uuid])).size > 0)
      throw new ProblemError('not_found', 'It is being erased already.');
  }
}

function wishOf(doer: Doer | null): { actor: string; address: string | null; requestId: string | null } {
  if (doer === null) return { actor: 'platform', address: null, requestId: null };
  return { actor: actorName(doer.person), address: doer.address, requestId: doer.requestId };
}
