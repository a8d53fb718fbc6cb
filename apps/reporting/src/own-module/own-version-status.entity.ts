import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What an organization's own release history says of a version, to its sites: in place of `version_statuses`. */
@Entity('own_version_statuses')
@Index('own_version_statuses_version', ['versionId'])
export class OwnVersionStatusEntity {
  @PrimaryColumn({ type: 'integer', name: 'organization_id' })
  organizationId: number;

  @PrimaryColumn({ type: 'integer', name: 'version_id' })
  versionId: number;

  @Column({ type: 'text' })
  status: string;

  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ type: 'text' })
  standing: string;

  @Column({ type: 'text', nullable: true })
  recommended: string | null;

  @Column({ type: 'text', nullable: true })
  latest: string | null;

  @Column({ type: 'text', name: 'security_updates', array: true })
  securityUpdates: string[];

  @Column({ type: 'timestamptz', name: 'available_since', nullable: true })
  availableSince: Date | null;

  @Column({ type: 'timestamptz', name: 'released_at', nullable: true })
  releasedAt: Date | null;
}
