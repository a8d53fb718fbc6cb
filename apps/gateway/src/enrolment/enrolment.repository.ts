import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Enrolment } from './enrolment.entity.js';

/** A site that was registered for an address before, as far as it matters to who asks again. */
export interface EnrolledSite {
  readonly enrolment: Enrolment;
  readonly uuid: string;
  readonly name: string;
  readonly url: string;
  readonly createdAt: Date;
  /** The key that the agent was given was never used and lives: it may have been lost on its way. */
  readonly keyIsUnused: boolean;
}

/** Which agent registered which site. */
@Injectable()
export class EnrolmentRepository {
  /** Counts one use of the key. @returns false: it has no use left, or ended meanwhile */
  async use(tx: EntityManager, keyId: number, now: Date): Promise<boolean> {
    const [, affected] = await tx.query<[unknown, number]>(
      `UPDATE api_keys SET uses = uses + 1
        WHERE id = $1 AND uses < most_uses AND revoked_at IS NULL AND expires_at > $2`,
      [keyId, now],
    );
    return affected === 1;
  }

  /** Until the transaction ends nobody else registers this address with the organization. */
  async lock(tx: EntityManager, organizationId: number, address: string, environment: string): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [
      organizationId,
      `enrolment ${environment} ${address}`,
    ]);
  }

  /** The enrolment of the address whose site is still there. Until the transaction ends nobody removes it: a key made after its removal would come to life with its restoration. */
  async find(
    tx: EntityManager,
    organizationId: number,
    address: string,
    environment: string,
  ): Promise<EnrolledSite | null> {
    const enrolment = await tx.findOneBy(Enrolment, { organizationId, address, environment });
    if (enrolment === null) return null;
    await tx.query('SELECT 1 FROM sites WHERE id = $1 FOR NO KEY UPDATE', [enrolment.siteId]);
    // A statement of its own: it sees what those before us did to the key.
    const [site] = await tx.query<{ uuid: string; name: string; url: string; created_at: Date; unused: boolean }[]>(
      `SELECT s.uuid, s.name, s.url, s.created_at, k.id IS NOT NULL AND k.last_used_at IS NULL AND k.revoked_at IS NULL AS unused
         FROM sites s LEFT JOIN api_keys k ON k.organization_id = s.organization_id AND k.site_id = s.id AND k.public_id = $3
        WHERE s.id = $1 AND s.organization_id = $2 AND s.removed_at IS NULL`,
      [enrolment.siteId, organizationId, enrolment.siteKeyId],
    );
    if (site === undefined) return null;
    const { uuid, name, url, created_at: createdAt, unused } = site;
    return { enrolment, uuid, name, url, createdAt, keyIsUnused: unused };
  }

  /** Whether the organization has a site of that address, in whatever way it came. */
  async hasSite(tx: EntityManager, organizationId: number, address: string, environment: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `SELECT 1 FROM sites
        WHERE organization_id = $1 AND environment = $2 AND removed_at IS NULL
          AND rtrim(regexp_replace(lower(url), '^http:', 'https:'), '/') = lower($3) LIMIT 1`,
      [organizationId, environment, address],
    );
    return rows.length > 0;
  }

  /** Writes it; one of the same address, whose site is gone, is replaced. */
  async save(tx: EntityManager, enrolment: Omit<Enrolment, 'id'>): Promise<void> {
    await tx.upsert(Enrolment, enrolment, ['organizationId', 'address', 'environment']);
  }
}
