import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull } from 'typeorm';
import type { EntityManager, FindOptionsWhere } from 'typeorm';
import type { Scope } from '#libs/contracts';
import { asSystem } from '#libs/database';
import { SiteStanding } from '../quarantine/site-standing.js';
import type { Environment, QuarantineReason } from '../site/site.entity.js';
import { ApiKey } from './api-key.entity.js';
import type { KeyPurpose } from './api-key.entity.js';
import { withCreators, type MadeKey } from './key-creators.js';

/** A live site key with what the push path needs to know. */
export interface SiteKeyRow {
  readonly id: number;
  readonly publicId: string;
  readonly secretHash: Buffer;
  readonly siteId: number;
  readonly siteUuid: string;
  readonly organizationId: number;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
  /** For history that is loaded, from wherever that is. */
  readonly isHistory: boolean;
  /** It was never used, as far as is noted. */
  readonly isUnused: boolean;
  /** What tells whether a push is the site's own. */
  readonly standing: SiteStanding;
  /** What the plan of the organization lets this key send. */
  readonly pushesPerMinute: number;
  /** The same for its other requests. */
  readonly requestsPerMinute: number;
}

/** The keys of sites. */
@Injectable()
export class SiteKeyRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Live keys of sites that are not removed, of those named. No scope: a key says by itself whose it is.
   * One statement for any number of keys.
   */
  async findLive(publicIds: readonly string[], now: Date): Promise<SiteKeyRow[]> {
    const rows = await asSystem(() =>
      this.dataSource.query<
        {
          id: number;
          public_id: string;
          secret_hash: Buffer;
          site_id: number;
          uuid: string;
          organization_id: number;
          expires_at: Date | null;
          last_used_at: Date | null;
          purpose: KeyPurpose;
          url: string;
          environment: Environment;
          quarantine_reason: QuarantineReason | null;
          pushes_per_minute: number;
          key_requests_per_minute: number;
        }[]
      >(
        `SELECT k.id, k.public_id, k.secret_hash, k.site_id, s.uuid, k.organization_id, k.expires_at, k.last_used_at, k.purpose,
              s.url, s.environment, s.quarantine_reason,
              p.pushes_per_minute, p.key_requests_per_minute
         FROM api_keys k JOIN sites s ON s.id = k.site_id AND s.organization_id = k.organization_id
         JOIN organizations o ON o.id = k.organization_id AND o.removed_at IS NULL JOIN plans p ON p.id = o.plan_id
        WHERE k.public_id = ANY($1) AND k.kind = 'site' AND k.revoked_at IS NULL AND s.removed_at IS NULL
          AND (k.expires_at IS NULL OR k.expires_at > $2)`,
        [publicIds, now],
      ),
    );
    return rows.map(({ url, environment, quarantine_reason: quarantineReason, ...row }) => ({
      id: row.id,
      publicId: row.public_id,
      secretHash: row.secret_hash,
      siteId: row.site_id,
      siteUuid: row.uuid,
      organizationId: row.organization_id,
      expiresAt: row.expires_at?.getTime() ?? null,
      isHistory: row.purpose === 'backfill',
      isUnused: row.last_used_at === null,
      standing: new SiteStanding({ url, environment, quarantineReason }, row.purpose === 'backfill'),
      pushesPerMinute: row.pushes_per_minute,
      requestsPerMinute: row.key_requests_per_minute,
    }));
  }

  /** Notes when keys were last used. */
  async touch(ids: readonly number[], at: Date): Promise<void> {
    await asSystem(() => this.dataSource.query('UPDATE api_keys SET last_used_at = $2 WHERE id = ANY($1)', [ids, at]));
  }

  add(tx: EntityManager, key: Omit<ApiKey, 'id'>): Promise<ApiKey> {
    return tx.save(tx.create(ApiKey, key));
  }

  /** Keys of the site that are neither revoked nor expired. */
  countLive(tx: EntityManager, scope: Scope, siteId: number, purpose: KeyPurpose, now: Date): Promise<number> {
    const query = tx
      .createQueryBuilder(ApiKey, 'key')
      .where('key.siteId = :siteId AND key.purpose = :purpose AND key.revokedAt IS NULL', { siteId, purpose })
      .andWhere('(key.expiresAt IS NULL OR key.expiresAt > :now)', { now });
    if (scope.organization_ids !== null)
      query.andWhere('key.organizationId = ANY(:ids)', { ids: scope.organization_ids });
    return query.getCount();
  }

  /** Keys of the site that were not revoked, the newest first; expired ones too, so that people see why nothing arrives. */
  async ofSite(scope: Scope, siteId: number): Promise<MadeKey[]> {
    const { manager } = this.dataSource;
    const keys = await manager.find(ApiKey, {
      where: { siteId, revokedAt: IsNull(), ...within(scope) },
      order: { createdAt: 'DESC', id: 'DESC' },
    });
    return withCreators(manager, keys);
  }

  /** @returns false: the site has no such key, or it was revoked before */
  async revoke(tx: EntityManager, scope: Scope, siteId: number, publicId: string, now: Date): Promise<boolean> {
    const { affected } = await tx.update(
      ApiKey,
      { siteId, publicId, revokedAt: IsNull(), ...within(scope) },
      { revokedAt: now },
    );
    return affected === 1;
  }

  /** Revokes all live keys of the site. @returns their public ids. */
  async revokeAll(tx: EntityManager, siteId: number, now: Date): Promise<string[]> {
    const keys = await tx.findBy(ApiKey, { siteId, revokedAt: IsNull() });
    if (keys.length > 0) await tx.update(ApiKey, { siteId, revokedAt: IsNull() }, { revokedAt: now });
    return keys.map((key) => key.publicId);
  }
}

function within(scope: Scope): FindOptionsWhere<ApiKey> {
  return scope.organization_ids === null ? {} : { organizationId: In(scope.organization_ids) };
}
