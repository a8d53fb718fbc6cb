import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** An episode: this site ran a version of this module that a cause makes unsafe. Closed rows change only by being retracted. */
@Entity('exposures')
@Index('exposures_uuid', ['exposureUuid'], { unique: true })
@Index('exposures_episode', ['siteId', 'moduleId', 'causeId', 'openedAt'], {
  unique: true,
  where: 'retracted_at IS NULL',
})
@Index('exposures_standing', ['siteId', 'moduleId'], { where: "state <> 'closed'" })
@Index('exposures_organization', ['organizationId', 'openedAt', 'exposureId'], { where: 'retracted_at IS NULL' })
@Index('exposures_opened', ['openedAt', 'exposureId'], { where: 'retracted_at IS NULL' })
@Index('exposures_open', ['moduleId', 'siteId'], { where: "state = 'open'" })
@Index('exposures_closed', ['organizationId', 'closedAt', 'openedAt', 'reason'], {
  where: 'closed_at IS NOT NULL AND retracted_at IS NULL',
})
@Index('exposures_cause', ['causeId', 'moduleId'])
export class ExposureEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', generatedIdentity: 'BY DEFAULT', name: 'exposure_id' })
  exposureId: number;

  @Column({ type: 'uuid', name: 'exposure_uuid' })
  exposureUuid: string;

  @Column({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @Column({ type: 'integer', name: 'site_id' })
  siteId: number;

  @Column({ type: 'integer', name: 'module_id' })
  moduleId: number;

  @Column({ type: 'integer', name: 'cause_id' })
  causeId: number;

  @Column({ type: 'text', name: 'installed_version', nullable: true })
  installedVersion: string | null;

  @Column({ type: 'timestamptz', name: 'published_at' })
  publishedAt: Date;

  @Column({ type: 'text', name: 'fixed_in', array: true, nullable: true })
  fixedIn: string[] | null;

  @Column({ type: 'timestamptz', name: 'opened_at' })
  openedAt: Date;

  @Column({ type: 'text' })
  state: string;

  @Column({ type: 'timestamptz', name: 'unknown_since', nullable: true })
  unknownSince: Date | null;

  @Column({ type: 'timestamptz', name: 'closed_at', nullable: true })
  closedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'closed_after', nullable: true })
  closedAfter: Date | null;

  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'text', name: 'closed_version', nullable: true })
  closedVersion: string | null;

  @Column({ type: 'timestamptz', name: 'recorded_at' })
  recordedAt: Date;

  @Column({ type: 'timestamptz', name: 'closed_recorded_at', nullable: true })
  closedRecordedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'retracted_at', nullable: true })
  retractedAt: Date | null;

  @Column({ type: 'text', name: 'retracted_reason', nullable: true })
  retractedReason: string | null;
}
