import { Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { asSystem } from '#libs/database';
import { ApiKey } from '../site-key/api-key.entity.js';
import { withCreators, type MadeKey } from '../site-key/key-creators.js';
import { sharedSitesOf } from '../site-share/shared-sites.js';

/** Kinds of keys that belong to an organization as a whole. */
export type OrganizationKeyKind = 'integration' | 'enrolment';

/** A live key with what its holder may. */
export interface LiveKey {
  readonly id: number;
  readonly secretHash: Buffer;
  readonly scopes: readonly string[];
  readonly createdBy: number | null;
  readonly lastUsedAt: Date | null;
  readonly organizationId: number;
  readonly organizationUuid: string;
  /** Sites of other organizations that this one may read. */
  readonly sharedSiteIds: readonly number[];
  /** By its organization's plan. */
  readonly requestsPerMinute: number;
}

/** Any fixed number: who makes a key of an organization holds it together with the organization's id. */
const KEYS_LOCK = 4_711_204;

/** Integration and enrolment keys. */
@Injectable()
export class OrganizationKeyRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The live key of that public id, of an organization that is not removed. No scope: a key says by itself whose it is. */
  async live(kind: OrganizationKeyKind, publicId: string, now: Date): Promise<LiveKey | null> {
    const [row] = await asSystem(() =>
      this.dataSource.query<
        {
          id: number;
          secret_hash: Buffer;
          scopes: string[];
          created_by: number | null;
          last_used_at: Date | null;
          organization_id: number;
          uuid: string;
          shared_site_ids: number[];
          key_requests_per_minute: number;
        }[]
      >(
        `SELECT k.id, k.secret_hash, k.scopes, k.created_by, k.last_used_at, k.organization_id, o.uuid,
              ${sharedSitesOf('k.organization_id')} AS shared_site_ids, p.key_requests_per_minute
         FROM api_keys k JOIN organizations o ON o.id = k.organization_id AND o.removed_at IS NULL JOIN plans p ON p.id = o.plan_id
        WHERE k.public_id = $1 AND k.kind = $2 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $3)`,
        [publicId, kind, now],
      ),
    );
    if (row === undefined) return null;
    return {
      id: row.id,
      secretHash: row.secret_hash,
      scopes: row.scopes,
      createdBy: row.created_by,
      lastUsedAt: row.last_used_at,
      organizationId: row.organization_id,
      organizationUuid: row.uuid,
      sharedSiteIds: row.shared_site_ids,
      requestsPerMinute: row.key_requests_per_minute,
    };
  }

  /** Notes that the key was used. */
  async touch(id: number, at: Date): Promise<void> {
    await asSystem(() => this.dataSource.query('UPDATE api_keys SET last_used_at = $2 WHERE id = $1', [id, at]));
  }

  /** Until the transaction ends nobody else makes a key of this organization. */
  async lock(tx: EntityManager, organizationId: number): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1, $2)', [KEYS_LOCK, organizationId]);
  }

  /** Keys of that kind that are neither revoked nor expired, all or of one family. */
  async countLive(
    tx: EntityManager,
    organizationId: number,
    which: { kind: OrganizationKeyKind; family?: string; now: Date },
  ): Promise<number> {
    const query = tx
      .createQueryBuilder(ApiKey, 'key')
      .where('key.organizationId = :organizationId AND key.kind = :kind AND key.revokedAt IS NULL', {
        organizationId,
        kind: which.kind,
      })
      .andWhere('(key.expiresAt IS NULL OR key.expiresAt > :now)', { now: which.now });
    if (which.family !== undefined) query.andWhere('key.family = :family', { family: which.family });
    return query.getCount();
  }

  add(tx: EntityManager, key: Omit<ApiKey, 'id'>): Promise<ApiKey> {
    return tx.save(tx.create(ApiKey, key));
  }

  /** Keys of the organization that were not revoked, the newest first; expired ones too, so that people see why nothing works. */
  async list(
    organizationId: number,
    kind: OrganizationKeyKind,
    { page, per_page }: { page: number; per_page: number },
  ): Promise<[MadeKey[], number]> {
    const manager = this.dataSource.manager;
    const [keys, total] = await manager.findAndCount(ApiKey, {
      where: { organizationId, kind, revokedAt: IsNull() },
      order: { createdAt: 'DESC', id: 'DESC' },
      skip: (page - 1) * per_page,
      take: per_page,
    });
    return [await withCreators(manager, keys), total];
  }

  /** The live key with its row locked. */
  find(tx: EntityManager, organizationId: number, kind: OrganizationKeyKind, publicId: string): Promise<ApiKey | null> {
    return tx.findOne(ApiKey, {
      where: { organizationId, kind, publicId, revokedAt: IsNull() },
      lock: { mode: 'pessimistic_write' },
    });
  }

  /** Writes when the key ends. */
  async end(tx: EntityManager, id: number, ends: { revokedAt: Date } | { expiresAt: Date }): Promise<void> {
    await tx.update(ApiKey, { id }, ends);
  }
}
