import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Clock } from '#libs/runtime';
import { CLOCK } from '../tokens.js';
import { ProblemError } from '../http/problem.js';
import type { KeyPurpose } from './api-key.entity.js';
import type { MadeKey } from './key-creators.js';
import { KeyChanges } from './key-changes.service.js';
import { newKey } from './site-key.js';
import { SiteKeyRepository } from './site-key.repository.js';

export interface IssuedKey {
  /** The whole key; this is the only time it is seen. */
  readonly text: string;
  readonly publicId: string;
  readonly purpose: KeyPurpose;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

export interface KeyWish {
  readonly purpose: KeyPurpose;
  /** User who asks for it. */
  readonly createdBy: number | null;
  /** null: until it is revoked. */
  readonly lifetimeHours: number | null;
}

/** Live keys of one purpose: two to push with, so that one can be replaced without a gap; more for scripts whose keys expire. */
const MOST_LIVE: Readonly<Record<KeyPurpose, number>> = { push: 2, backfill: 50 };

/** Makes keys of sites and takes them back. */
@Injectable()
export class IssueKey {
  constructor(
    private readonly keys: SiteKeyRepository,
    private readonly changes: KeyChanges,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  now(): Date {
    return this.clock.now();
  }

  /** Writes a new key of `site`, whose row `tx` holds. @throws ProblemError `too_many_keys` */
  async issue(tx: EntityManager, site: { id: number; organizationId: number }, wish: KeyWish): Promise<IssuedKey> {
    const createdAt = this.clock.now();
    const live = await this.keys.countLive(
      tx,
      { organization_ids: [site.organizationId] },
      site.id,
      wish.purpose,
      createdAt,
    );
    if (live >= MOST_LIVE[wish.purpose]) {
      throw new ProblemError(
        'too_many_keys',
        `The site has ${live} live keys of this purpose already. Revoke one or let one expire.`,
      );
    }
    const { text, publicId, secretHash } = newKey('site');
    const expiresAt =
      wish.lifetimeHours === null ? null : new Date(createdAt.getTime() + wish.lifetimeHours * 3600_000);
    await this.keys.add(tx, {
      organizationId: site.organizationId,
      siteId: site.id,
      kind: 'site',
      purpose: wish.purpose,
      publicId,
      secretHash,
      scopes: ['push'],
      createdBy: wish.createdBy,
      createdAt,
      expiresAt,
      lastUsedAt: null,
      revokedAt: null,
      name: null,
      family: null,
      mostUses: null,
      uses: 0,
    });
    return { text, publicId, purpose: wish.purpose, createdAt, expiresAt };
  }

  /** Keys of the site that were not revoked, the newest first. */
  list(site: { id: number; organizationId: number }): Promise<MadeKey[]> {
    return this.keys.ofSite({ organization_ids: [site.organizationId] }, site.id);
  }

  /** Revokes one key. Call `announce` after the commit. @returns false: the site has no such key */
  revoke(tx: EntityManager, site: { id: number; organizationId: number }, publicId: string): Promise<boolean> {
    return this.keys.revoke(tx, { organization_ids: [site.organizationId] }, site.id, publicId, this.clock.now());
  }

  /** Revokes all keys of a site. Call `announce` with the answer after the commit. */
  revokeAll(tx: EntityManager, siteId: number): Promise<string[]> {
    return this.keys.revokeAll(tx, siteId, this.clock.now());
  }

  announce(publicIds: readonly string[]): Promise<void> {
    return this.changes.announce(publicIds);
  }
}
