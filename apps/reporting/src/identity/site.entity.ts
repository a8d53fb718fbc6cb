import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { SiteQuarantine } from '#libs/contracts';

/** A site as its registry knows it. Its facts may arrive before it does. */
@Entity('sites')
@Index('sites_uuid', ['siteUuid'], { unique: true })
@Index('sites_organization', ['organizationId', 'siteId'])
export class SiteEntity {
  @PrimaryColumn({ type: 'integer', name: 'site_id' })
  siteId: number;

  @Column({ type: 'uuid', name: 'site_uuid' })
  siteUuid: string;

  @Column({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @Column({ type: 'uuid', name: 'organization_uuid' })
  organizationUuid: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  url: string;

  @Column({ type: 'text' })
  environment: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'removed_at', nullable: true })
  removedAt: Date | null;

  @Column({ type: 'integer' })
  revision: number;

  /** Its pushes are held back until a person decides; null: they are taken. */
  @Column({ type: 'jsonb', nullable: true })
  quarantine: SiteQuarantine | null;
}
