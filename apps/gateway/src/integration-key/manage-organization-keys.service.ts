import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '#libs/runtime';
import { ProblemError } from '../http/problem.js';
import { lineOf, type Doer } from '../identity/doer.js';
import { IdentityChanges } from '../identity/identity-changes.service.js';
import { ManageOrganizations } from '../identity/manage-organizations.service.js';
import { Permissions } from '../identity/permissions.service.js';
import { StepUp } from '../login/step-up.service.js';
import type { ApiKey } from '../site-key/api-key.entity.js';
import { newKey } from '../site-key/site-key.js';
import type { MadeKey } from '../site-key/key-creators.js';
import { OrganizationKeyRepository } from './organization-key.repository.js';
import type { OrganizationKeyKind } from './organization-key.repository.js';

/** What a key shall be. */
export interface OrganizationKeyWish {
  readonly kind: OrganizationKeyKind;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly lifetimeDays: number;
  /** null: a key that counts no uses. */
  readonly mostUses: number | null;
}

/** A key whose text is seen this once. */
export interface NewOrganizationKey {
  readonly text: string;
  readonly key: ApiKey;
}

/** Live keys of one kind an organization may have. */
const MOST_LIVE = 50;
/** A key and the one that replaces it. */
const MOST_OF_FAMILY = 2;
const DAY_MS = 24 * 3600_000;
const HOUR_MS = 3600_000;

/**
 * Makes, rotates and revokes keys of organizations. Administrators only, and to make one they must have proved who they are within five
 * minutes: a key outlives the session that made it.
 */
@Injectable()
export class ManageOrganizationKeys {
  constructor(
    private readonly keys: OrganizationKeyRepository,
    private readonly organizations: ManageOrganizations,
    private readonly permissions: Permissions,
    private readonly changes: IdentityChanges,
    private readonly stepUp: StepUp,
  ) {}

  /** @throws ProblemError `not_found`, `forbidden` */
  async list(
    organizationUuid: string,
    kind: OrganizationKeyKind,
    page: { page: number; per_page: number },
    doer: Doer,
  ): Promise<[MadeKey[], number]> {
    const id = await this.mayManage(organizationUuid, `${kind}_key.list`, doer);
    return this.keys.list(id, kind, page);
  }

  /** @throws ProblemError `not_found`, `forbidden`, `step_up_required`, `too_many_keys` */
  async create(organizationUuid: string, wish: OrganizationKeyWish, doer: Doer): Promise<NewOrganizationKey> {
    const organizationId = await this.mayManage(organizationUuid, `${wish.kind}_key.created`, doer);
    this.stepUp.mustBeRecent(doer.person);
    return this.changes.unitOfWork.run(async (tx) => {
      const now = this.changes.now();
      await this.keys.lock(tx, organizationId);
      if ((await this.keys.countLive(tx, organizationId, { kind: wish.kind, now })) >= MOST_LIVE)
        throw new ProblemError('too_many_keys', `The organization has ${MOST_LIVE} live keys of this kind already.`);
      return this.issue(tx, { ...wish, organizationId, family: newId() }, doer, {});
    });
  }

  /**
   * A new key of the same name and scopes. The old one goes on for `overlapHours`, so that its users can change over without a gap.
   * @throws ProblemError `not_found`, `forbidden`, `step_up_required`, `too_many_keys`
   */
  async rotate(
    organizationUuid: string,
    publicId: string,
    { overlapHours, lifetimeDays }: { overlapHours: number; lifetimeDays: number },
    doer: Doer,
  ): Promise<NewOrganizationKey> {
    const organizationId = await this.mayManage(organizationUuid, 'integration_key.rotated', doer);
    this.stepUp.mustBeRecent(doer.person);
    return this.changes.unitOfWork.run(async (tx) => {
      const now = this.changes.now();
      await this.keys.lock(tx, organizationId);
      const old = await this.keys.find(tx, organizationId, 'integration', publicId);
      if (old === null || (old.expiresAt !== null && old.expiresAt <= now)) throw noSuchKey();
      const family = old.family!;
      if ((await this.keys.countLive(tx, organizationId, { kind: 'integration', family, now })) >= MOST_OF_FAMILY)
        throw new ProblemError('too_many_keys', 'The key before this one is still live. Revoke it first.');
      const until = new Date(now.getTime() + overlapHours * HOUR_MS);
      const ends = old.expiresAt !== null && old.expiresAt < until ? old.expiresAt : until;
      await this.keys.end(tx, old.id, overlapHours === 0 ? { revokedAt: now } : { expiresAt: ends });
      return this.issue(
        tx,
        {
          kind: 'integration',
          name: old.name!,
          scopes: old.scopes,
          lifetimeDays,
          mostUses: null,
          organizationId,
          family,
        },
        doer,
        { replaces: publicId, old_key_ends_at: (overlapHours === 0 ? now : ends).toISOString() },
      );
    });
  }

  /** The key opens nothing from this moment. @throws ProblemError `not_found`, `forbidden` */
  async revoke(organizationUuid: string, kind: OrganizationKeyKind, publicId: string, doer: Doer): Promise<void> {
    const action = `${kind}_key.revoked`;
    const organizationId = await this.mayManage(organizationUuid, action, doer);
    await this.changes.unitOfWork.run(async (tx) => {
      const key = await this.keys.find(tx, organizationId, kind, publicId);
      if (key === null) throw noSuchKey();
      await this.keys.end(tx, key.id, { revokedAt: this.changes.now() });
      await this.changes.note(tx, lineOf(doer, action, `key:${publicId}`, organizationId), { name: key.name });
    });
  }

  private async issue(
    tx: EntityManager,
    wish: OrganizationKeyWish & { readonly organizationId: number; readonly family: string },
    doer: Doer,
    detail: Readonly<Record<string, unknown>>,
  ): Promise<NewOrganizationKey> {
    const { kind, name, scopes, lifetimeDays, mostUses, organizationId, family } = wish;
    const { text, publicId, secretHash } = newKey(kind);
    const createdAt = this.changes.now();
    const key = await this.keys.add(tx, {
      organizationId,
      siteId: null,
      kind,
      purpose: kind === 'integration' ? 'api' : 'enrolment',
      publicId,
      secretHash,
      scopes: [...scopes],
      createdBy: doer.person.id,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + lifetimeDays * DAY_MS),
      lastUsedAt: null,
      revokedAt: null,
      name,
      family,
      mostUses,
      uses: 0,
    });
    await this.changes.note(tx, lineOf(doer, `${kind}_key.created`, `key:${publicId}`, organizationId), {
      name,
      scopes,
      expires_at: key.expiresAt!.toISOString(),
      ...(mostUses === null ? {} : { most_sites: mostUses }),
      ...detail,
    });
    return { text, key };
  }

  private async mayManage(uuid: string, action: string, doer: Doer): Promise<number> {
    const { id } = await this.organizations.one(doer, uuid);
    this.permissions.must('administer', id, { action, subject: `organization:${uuid}`, doer });
    return id;
  }
}

function noSuchKey(): ProblemError {
  return new ProblemError('not_found', 'The organization has no such key, or it was revoked or has expired.');
}
