import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A fact with its derived interval. `current`: it stands now and is installed; only then it has a `standing`. */
@Entity('site_modules')
@Index('site_modules_version', ['versionId', 'siteId'], { where: 'version_id IS NOT NULL' })
@Index('site_modules_current', ['versionId', 'organizationId', 'siteId'], { where: 'current' })
export class SiteModuleEntity {
  @PrimaryColumn({ type: 'integer', name: 'site_id' })
  siteId: number;

  @PrimaryColumn({ type: 'integer', name: 'module_id' })
  moduleId: number;

  @PrimaryColumn({ type: 'bigint' })
  epoch: number;

  @PrimaryColumn({ type: 'bigint' })
  sequence: number;

  @Column({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @Column({ type: 'integer', name: 'version_id', nullable: true })
  versionId: number | null;

  @Column({ type: 'text', nullable: true })
  state: string | null;

  @Column({ type: 'text' })
  type: string;

  @Column({ type: 'timestamptz', name: 'valid_from' })
  validFrom: Date;

  @Column({ type: 'timestamptz', name: 'valid_to', nullable: true })
  validTo: Date | null;

  @Column({ type: 'timestamptz', name: 'previous_observed_at', nullable: true })
  previousObservedAt: Date | null;

  @Column({ type: 'boolean' })
  current: boolean;

  @Column({ type: 'text', nullable: true })
  standing: string | null;
}
