import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '#libs/runtime';
import { mustMatch } from '../http/if-match.js';
import { ProblemError } from '../http/problem.js';
import { Plans } from '../plan/plans.service.js';
import { SiteCascade } from '../site/site-cascade.service.js';
import type { Doer } from './doer.js';
import { IdentityChanges } from './identity-changes.service.js';
import type { OrganizationRevision } from './organization-revision.entity.js';
import type { Organization } from './organization.entity.js';
import { OrganizationRepository } from './organization.repository.js';
import type { OrganizationFilter, Page } from './organization.repository.js';
import { Permissions } from './permissions.service.js';
import { scopeOf } from './principal.js';

export interface OrganizationWords {
  readonly name?: string;
  readonly timeZone?: string;
  readonly requiresSecondFactor?: boolean;
}

/** Adds, changes, removes and restores organizations. Each change is a revision, told to the other services. */
@Injectable()
export class ManageOrganizations {
  constructor(
    private readonly organizations: OrganizationRepository,
    private readonly permissions: Permissions,
    private readonly changes: IdentityChanges,
    private readonly sites: SiteCascade,
    private readonly plans: Plans,
  ) {}

  /** Those the person may see, by name; removed ones for superusers only. @throws ProblemError `forbidden` */
  list(doer: Doer, filter: OrganizationFilter, page: Page): Promise<[Organization[], number]> {
    if (filter.removed)
      this.permissions.mustBeSuperuser({ action: 'organization.list_removed', subject: 'platform', doer });
    return this.organizations.list(scopeOf(doer.person), filter, page);
  }

  /** @throws ProblemError `not_found` */
  async one(doer: Doer, uuid: string): Promise<Organization> {
    return found(await this.organizations.find(scopeOf(doer.person), uuid, false));
  }

  /** What it was before, the newest first. @throws ProblemError `not_found`, `forbidden` */
  async revisions(doer: Doer, uuid: string, page: Page): Promise<[OrganizationRevision[], number]> {
    const { id } = await this.one(doer, uuid);
    this.permissions.must('administer', id, attempt('organization.revisions', uuid, doer));
    return this.organizations.revisions(id, page);
  }

  /** @param plan its code; undefined: the default @throws ProblemError `forbidden`, `validation_failed` for a plan that is none */
  create(words: Required<OrganizationWords>, plan: string | undefined, doer: Doer): Promise<Organization> {
    const uuid = newId();
    this.permissions.mustBeSuperuser(attempt('organization.created', uuid, doer));
    return this.changes.unitOfWork.run(async (tx) => {
      const now = this.changes.now();
      const { id: planId, code } = await this.plans.hold(tx, plan);
      const created = await this.organizations.save(
        tx,
        { uuid, ...words, planId, revision: 1, createdAt: now, removedAt: null },
        doer.person.uuid,
        now,
      );
      await this.changes.tellOrganization(tx, 'organization.created', created, doer, { plan: code });
      return created;
    });
  }

  /**
   * @param plan code of the plan it shall have, which superusers decide; undefined: the one it has
   * @throws ProblemError `not_found`, `forbidden`, `precondition_failed`, `validation_failed` for a plan that is none
   */
  async change(uuid: string, words: OrganizationWords, plan: string | undefined, doer: Doer): Promise<Organization> {
    const { changed, keys } = await this.changes.unitOfWork.run(async (tx) => {
      const before = found(await this.organizations.find(scopeOf(doer.person), uuid, false, tx));
      this.permissions.must('administer', before.id, attempt('organization.changed', uuid, doer));
      if (plan !== undefined)
        this.permissions.mustBeSuperuser(attempt('organization.plan_changed', uuid, doer), before.id);
      mustMatch(doer.ifMatch, before.revision);
      const planId = plan === undefined ? before.planId : (await this.plans.hold(tx, plan)).id;
      const changed = await this.save(tx, 'organization.changed', { ...before, ...words, planId }, doer, {
        before: {
          name: before.name,
          time_zone: before.timeZone,
          requires_second_factor: before.requiresSecondFactor,
          ...(planId === before.planId ? {} : { plan: (await this.plans.codes(tx)).get(before.planId) }),
        },
        ...(planId === before.planId ? {} : { plan }),
      });
      return { changed, keys: planId === before.planId ? [] : await this.sites.keysOf(tx, before.id) };
    });
    // What a site's key may send is remembered with it.
    if (keys.length > 0) await this.sites.announce(keys);
    return changed;
  }

  /** Removes it with its sites, whose keys are dead at once. Nothing is lost: `restore` brings all of it back. @throws ProblemError `not_found`, `forbidden` */
  async remove(uuid: string, doer: Doer): Promise<void> {
    const keys = await this.changes.unitOfWork.run(async (tx) => {
      const before = found(await this.organizations.find(scopeOf(doer.person), uuid, false, tx));
      this.permissions.mustBeSuperuser(attempt('organization.removed', uuid, doer));
      mustMatch(doer.ifMatch, before.revision);
      const removedAt = this.changes.now();
      const cascade = await this.sites.removeAll(tx, before, removedAt, doer.requestId);
      await this.save(tx, 'organization.removed', { ...before, removedAt }, doer, { sites: cascade.sites });
      return cascade.keys;
    });
    await this.sites.announce(keys);
  }

  /** Brings back an organization and the sites that went with it, with their keys. @throws ProblemError `not_found`, `forbidden` */
  async restore(uuid: string, doer: Doer): Promise<Organization> {
    this.permissions.mustBeSuperuser(attempt('organization.restored', uuid, doer));
    const restored = await this.changes.unitOfWork.run(async (tx) => {
      const before = found(await this.organizations.find(scopeOf(doer.person), uuid, true, tx));
      const cascade = await this.sites.restoreAll(tx, before, before.removedAt!, doer.requestId);
      const organization = await this.save(tx, 'organization.restored', { ...before, removedAt: null }, doer, {
        sites: cascade.sites,
      });
      return { organization, keys: cascade.keys };
    });
    await this.sites.announce(restored.keys);
    return restored.organization;
  }

  private async save(
    tx: EntityManager,
    action: string,
    organization: Organization,
    doer: Doer,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<Organization> {
    const saved = await this.organizations.save(
      tx,
      { ...organization, revision: organization.revision + 1 },
      doer.person.uuid,
      this.changes.now(),
    );
    await this.changes.tellOrganization(tx, action, saved, doer, detail);
    return saved;
  }
}

function attempt(action: string, uuid: string, doer: Doer): { action: string; subject: string; doer: Doer } {
  return { action, subject: `organization:${uuid}`, doer };
}

function found(organization: Organization | null): Organization {
  if (organization === null)
    throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
  return organization;
}
