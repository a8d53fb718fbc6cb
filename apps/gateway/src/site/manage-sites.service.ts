import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { OUTBOX, UNIT_OF_WORK } from '#libs/outbox';
import type { Outbox } from '#libs/outbox';
import { newId } from '#libs/runtime';
import type { UnitOfWork } from '#libs/streams';
import { AuditLog } from '../audit/audit-log.service.js';
import { mustMatch } from '../http/if-match.js';
import { ProblemError } from '../http/problem.js';
import { doneBy, lineOf, type DoneBy, type Doer } from '../identity/doer.js';
import { People } from '../identity/people.service.js';
import { may, scopeOf } from '../identity/principal.js';
import type { Action, Actor } from '../identity/principal.js';
import { SiteLimit } from '../plan/site-limit.service.js';
import { IssueKey } from '../site-key/issue-key.service.js';
import type { IssuedKey } from '../site-key/issue-key.service.js';
import type { KeyPurpose } from '../site-key/api-key.entity.js';
import { siteFact } from './site-events.js';
import type { Environment, Site } from './site.entity.js';
import { SiteRepository } from './site.repository.js';

export interface NewSite {
  readonly name: string;
  readonly url: string;
  readonly environment: Environment;
  /** UUID; needed only by whoever belongs to several. */
  readonly organization: string | undefined;
}

/** One change of a site. */
interface SiteChange {
  readonly action: string;
  /** As it is after the change. */
  readonly site: Site;
  readonly organizationUuid: string;
  readonly by: DoneBy;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Where changes of sites are written, and how they get told: in one transaction, to the other services and to the audit log. */
@Injectable()
export class SiteChanges {
  constructor(
    @Inject(UNIT_OF_WORK) readonly unitOfWork: UnitOfWork<EntityManager>,
    @Inject(OUTBOX) private readonly outbox: Outbox,
    readonly audit: AuditLog,
    private readonly sites: SiteRepository,
  ) {}

  /** Writes a site as it shall be, for other features. */
  save(tx: EntityManager, site: Site): Promise<Site> {
    return this.sites.change(tx, site);
  }

  /** Public ids of the site's keys that were not revoked. */
  keysOf(tx: EntityManager, siteId: number): Promise<string[]> {
    return this.sites.keysOf(tx, [siteId]);
  }

  async tell(tx: EntityManager, { action, site, organizationUuid, by, detail }: SiteChange): Promise<void> {
    await this.outbox.add(tx, [siteFact(site, organizationUuid, by.requestId)]);
    await this.audit.record(tx, {
      action,
      ...by,
      subject: `site:${site.uuid}`,
      organizationId: site.organizationId,
      detail: { name: site.name, ...detail },
    });
  }
}

/** Adds sites to the registry and takes them out, with their keys. Whatever changes is told to the other services. */
@Injectable()
export class ManageSites {
  constructor(
    private readonly sites: SiteRepository,
    private readonly people: People,
    private readonly keys: IssueKey,
    private readonly changes: SiteChanges,
    private readonly limit: SiteLimit,
  ) {}

  /** @returns the site with its key, which is never shown again. @throws ProblemError `validation_failed`, `forbidden`, `plan_limit_reached` */
  async create(input: NewSite, doer: Doer<Actor>): Promise<{ site: Site; organizationUuid: string; key: IssuedKey }> {
    const organization = await this.organizationOf(input.organization, doer.person);
    this.mustBeAllowed(doer.person, 'edit_sites', organization.id);
    return this.changes.unitOfWork.run(async (tx) => {
      await this.limit.mustHaveRoom(tx, organization.id);
      const site = await this.sites.add(tx, {
        uuid: newId(),
        organizationId: organization.id,
        name: input.name,
        url: input.url,
        environment: input.environment,
        revision: 1,
        createdAt: this.keys.now(),
        removedAt: null,
      });
      const key = await this.keys.issue(tx, site, { purpose: 'push', createdBy: doer.person.id, lifetimeHours: null });
      await this.changes.tell(tx, {
        action: 'site.created',
        site,
        organizationUuid: organization.uuid,
        by: doneBy(doer),
        detail: { key: key.publicId },
      });
      return { site, organizationUuid: organization.uuid, key };
    });
  }

  /** One more key of the site. @throws ProblemError `not_found`, `forbidden`, `too_many_keys` */
  async addKey(
    uuid: string,
    wish: { purpose: KeyPurpose; lifetimeHours: number | null },
    doer: Doer<Actor>,
  ): Promise<IssuedKey> {
    return this.changes.unitOfWork.run(async (tx) => {
      const site = await this.mustFind(tx, uuid, doer.person);
      this.mustBeAllowed(doer.person, 'administer', site.organizationId);
      const key = await this.keys.issue(tx, site, { ...wish, createdBy: doer.person.id });
      await this.changes.audit.record(tx, {
        ...lineOf(doer, 'site_key.created', `site:${site.uuid}`, site.organizationId),
        detail: { key: key.publicId, purpose: wish.purpose, expires_at: key.expiresAt?.toISOString() ?? null },
      });
      return key;
    });
  }

  /** Removes the site: its keys die at once, its history stays. @throws ProblemError `not_found`, `forbidden` */
  async remove(uuid: string, doer: Doer<Actor>): Promise<void> {
    const revoked = await this.changes.unitOfWork.run(async (tx) => {
      const site = await this.mustFind(tx, uuid, doer.person);
      this.mustBeAllowed(doer.person, 'administer', site.organizationId);
      mustMatch(doer.ifMatch, site.revision);
      const removed = await this.sites.remove(tx, site, this.keys.now());
      const keys = await this.keys.revokeAll(tx, site.id);
      const [organization] = await this.people.organizations({ organization_ids: [site.organizationId] });
      await this.changes.tell(tx, {
        action: 'site.removed',
        site: removed,
        organizationUuid: organization!.uuid,
        by: doneBy(doer),
        detail: { keys_revoked: keys.length },
      });
      return keys;
    });
    await this.keys.announce(revoked);
  }

  private async mustFind(tx: EntityManager, uuid: string, person: Actor): Promise<Site> {
    const site = await this.sites.find(scopeOf(person), uuid, tx);
    if (site === null) throw new ProblemError('not_found', 'Nothing is at this address, or it is not yours to see.');
    return site;
  }

  private mustBeAllowed(person: Actor, action: Action, organizationId: number): void {
    if (!may(person, action, organizationId))
      throw new ProblemError('forbidden', 'Your role in the organization does not allow it.');
  }

  private async organizationOf(uuid: string | undefined, person: Actor): Promise<{ id: number; uuid: string }> {
    if (uuid !== undefined) {
      const found = (await this.people.organizations(scopeOf(person))).find(
        (organization) => organization.uuid === uuid.toLowerCase(),
      );
      if (found) return found;
      throw wrongOrganization('wrong_value', 'must be an organization of yours');
    }
    const [own, ...others] = person.memberships;
    if (own === undefined || others.length > 0)
      throw wrongOrganization('required', 'is needed: you belong to several, or to none');
    return { id: own.organizationId, uuid: own.organizationUuid };
  }
}

function wrongOrganization(code: 'required' | 'wrong_value', detail: string): ProblemError {
  return new ProblemError('validation_failed', 'Say to which organization the site belongs.', {
    errors: [{ pointer: '/organization', code, detail }],
  });
}
